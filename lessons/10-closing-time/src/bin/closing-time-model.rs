//! A model checker runs `flag.rs` or `channel.rs` in many orders of their threads' steps.

#[path = "../channel.rs"]
mod channel;
#[path = "../flag.rs"]
mod flag;
// ANCHOR: sync
/// The same names, from shuttle: at each use it decides which thread goes on.
mod sync {
    pub use shuttle::sync::{Arc, Mutex, PoisonError, atomic, mpsc};
    pub use shuttle::thread;

    pub(crate) use super::step;
}
// ANCHOR_END: sync

use std::cell::RefCell;
use std::process::ExitCode;
use std::{env, io, iter};

use shuttle::scheduler::{DfsScheduler, RandomScheduler};
use shuttle::{Config, Runner};

thread_local! {
    /// What has happened in this run, and what had in the runs that lost a sale.
    static STORY: RefCell<Vec<String>> = RefCell::default();
    static LOSSES: RefCell<Vec<Vec<String>>> = RefCell::default();
}

fn main() -> ExitCode {
    let way = env::args().nth(1).unwrap_or_else(|| "flag".to_owned());
    // ANCHOR: check
    let tried = match way.as_str() {
        "flag" => at_random(|| flag::trade(tills(), write, closing_time, false)),
        "tills-first" => {
            at_random(|| flag::trade(tills(), write, closing_time, true))
        }
        "channel" => at_random(|| channel::trade(tills(), write, closing_time)),
        "channel-all" => all(|| channel::trade(tills(), write, closing_time)),
        _ => {
            eprintln!(
                "unknown way {way}: flag, tills-first, channel or channel-all"
            );
            return ExitCode::FAILURE;
        }
    };
    // ANCHOR_END: check
    let losses = LOSSES.take();
    println!("{tried}\na sale was lost in {} of them", losses.len());
    let Some(shortest) = losses.iter().min_by_key(|story| story.len()) else {
        return ExitCode::SUCCESS;
    };
    println!("the shortest:");
    shortest.iter().for_each(|step| println!("- {step}"));
    ExitCode::FAILURE
}

// ANCHOR: runners
fn at_random(day: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> String {
    let some = RandomScheduler::new_from_seed(1, 1000);
    let count = Runner::new(some, Config::default()).run(move || judge(day()));
    format!("{count} orders were tried, taken at random")
}

fn all(day: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> String {
    let all = DfsScheduler::new(None, false);
    let count = Runner::new(all, Config::default()).run(move || judge(day()));
    format!("{count} orders were tried: there are no others")
}
// ANCHOR_END: runners

/// Two tills with one customer each.
fn tills() -> Vec<impl Iterator<Item = String>> {
    let till = |number| {
        iter::once_with(move || {
            step("customer 1 has paid");
            format!("till {number}: sale 1")
        })
    };
    vec![till(1), till(2)]
}

fn closing_time() {
    step("closing time");
}

fn write(sale: &str) -> io::Result<()> {
    step(&format!("{sale} is in the ledger"));
    Ok(())
}

fn step(what: &str) {
    let thread = shuttle::thread::current();
    let name = thread.name().unwrap_or_default();
    let name = name.strip_suffix("-thread").unwrap_or(name);
    STORY.with_borrow_mut(|story| story.push(format!("{name}: {what}")));
}

/// Ends a story, and keeps it if a sale is not in the ledger.
fn judge(day: io::Result<()>) {
    let story = STORY.take();
    let written = story.iter().filter(|step| step.ends_with("is in the ledger"));
    if day.is_err() || written.count() < 2 {
        LOSSES.with_borrow_mut(|losses| losses.push(story));
    }
}
