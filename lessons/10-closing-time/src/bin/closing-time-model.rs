//! A model checker runs `flag.rs` or `channel.rs` in many orders of their threads' steps.

#[path = "../channel.rs"]
mod channel;
#[path = "../flag.rs"]
mod flag;
#[path = "../step.rs"]
mod step;
// ANCHOR: sync
/// The same names, from shuttle: at each use it decides which thread goes on.
mod sync {
    pub use shuttle::sync::{Arc, Mutex, PoisonError, atomic, mpsc};
    pub use shuttle::thread;

    pub(crate) use super::note as step;
}
// ANCHOR_END: sync

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, iter};

use flag::Ask::{QueueFirst, StopFirst};
use flag::SetStop::{AfterTheTills, AtClosingTime};
use shuttle::scheduler::{DfsScheduler, RandomScheduler};
use shuttle::{Config, Runner};

thread_local! {
    /// What has happened in this run, and what had in the runs that lost a sale.
    static STORY: RefCell<Vec<String>> = RefCell::default();
    static LOSSES: RefCell<Vec<Vec<String>>> = RefCell::default();
}

fn main() -> ExitCode {
    let way = env::args_os().nth(1).unwrap_or_else(|| "flag".into());
    let trade = |ask, set| flag::trade(tills(), write, closing_time, ask, set);
    // ANCHOR: check
    let tried = match &*way.to_string_lossy() {
        "flag" => at_random(move || trade(QueueFirst, AtClosingTime)),
        "stop-first" => at_random(move || trade(StopFirst, AtClosingTime)),
        "tills-first" => at_random(move || trade(QueueFirst, AfterTheTills)),
        "repaired" => at_random(move || trade(StopFirst, AfterTheTills)),
        "channel" => at_random(|| channel::trade(tills(), write, closing_time)),
        "channel-all" => all(|| channel::trade(tills(), write, closing_time)),
        way => {
            let ways =
                "flag, stop-first, tills-first, repaired, channel or channel-all";
            return lesson_log::failure(format!("unknown way {way}: {ways}"));
        }
    };
    // ANCHOR_END: check
    let losses = LOSSES.take();
    let mut report =
        vec![tried, format!("a sale was lost in {} of them", losses.len())];
    if let Some(shortest) = losses.iter().min_by_key(|story| story.len()) {
        report.push("the shortest:".to_owned());
        report.extend(shortest.iter().map(|step| format!("- {step}")));
    }
    // The exit code is the verdict, also where nobody reads the report.
    let _ = writeln!(io::stdout(), "{}", report.join("\n"));
    if losses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

// ANCHOR: runners
fn at_random(
    day: impl Fn() -> Result<(), String> + Send + Sync + 'static,
) -> String {
    let some = RandomScheduler::new_from_seed(1, 200);
    let count = Runner::new(some, Config::default()).run(move || judge(day()));
    format!("{count} orders were tried, taken at random")
}

fn all(day: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> String {
    let all = DfsScheduler::new(None, false);
    let count = Runner::new(all, Config::default()).run(move || judge(day()));
    format!("{count} orders were tried: there are no others")
}
// ANCHOR_END: runners

/// Two tills with one customer each.
fn tills() -> Vec<impl Iterator<Item = String>> {
    let till = |number| {
        iter::once_with(move || {
            note("customer 1 has paid");
            format!("till {number}: sale 1")
        })
    };
    vec![till(1), till(2)]
}

fn closing_time() {
    note("closing time");
}

fn write(sale: &str) -> Result<(), String> {
    note(format!("{sale} is in the ledger"));
    Ok(())
}

fn note(what: impl Display) {
    let thread = shuttle::thread::current();
    let name = thread.name().unwrap_or_default();
    let name = name.strip_suffix("-thread").unwrap_or(name);
    STORY.with_borrow_mut(|story| story.push(format!("{name}: {what}")));
}

/// Ends a story, and keeps it if a sale is not in the ledger.
fn judge(day: Result<(), String>) {
    let story = STORY.take();
    let written = story.iter().filter(|step| step.ends_with("is in the ledger"));
    if day.is_err() || written.count() < 2 {
        LOSSES.with_borrow_mut(|losses| losses.push(story));
    }
}
