//! `flag.rs` with the narrow window held open: one till is enough to lose a sale.

#[path = "../flag.rs"]
#[expect(dead_code, reason = "the window is where stop is set after the tills")]
mod flag;
#[path = "../step.rs"]
#[expect(dead_code, reason = "the channel has steps of its own")]
mod step;
// ANCHOR: sync
/// The names of `main.rs`, with a `step` that stops the ledger at the window.
mod sync {
    pub use std::sync::{Arc, Mutex, PoisonError, atomic};
    pub use std::thread;

    pub(crate) use super::note as step;
}

/// The ledger and the till meet here, then the ledger and `main`.
static QUEUE_IS_EMPTY: Barrier = Barrier::new(2);
static STOP_IS_SET: Barrier = Barrier::new(2);
/// The window is held open once. After that the ledger goes on as always.
static WINDOW: Once = Once::new();

/// Before all have started, there may be nobody to meet.
static ALL_ARE_HERE: AtomicBool = AtomicBool::new(false);

fn note(what: Step) {
    if !ALL_ARE_HERE.load(Ordering::SeqCst) {
        return;
    }
    info!("{what}");
    match what {
        // Only now the till hands over; the ledger waits until stop is set.
        Step::QueueIsEmpty => WINDOW.call_once(|| {
            QUEUE_IS_EMPTY.wait();
            STOP_IS_SET.wait();
        }),
        Step::StopIsSet => {
            STOP_IS_SET.wait();
        }
        _ => {}
    }
}
// ANCHOR_END: sync

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Once};
use std::{env, iter};

use flag::{Ask, SetStop};
use step::Step;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let ask = match env::args_os().nth(1) {
        None => Ask::QueueFirst,
        Some(way) if way == "repaired" => Ask::StopFirst,
        Some(_) => return lesson_log::failure("the only argument is repaired"),
    };
    info!("one till, one customer");
    let till = iter::once_with(|| {
        QUEUE_IS_EMPTY.wait();
        info!("customer 1 has paid");
        "till 1: sale 1".to_owned()
    });
    let write = |sale: &str| {
        info!("{sale} is in the ledger");
        Ok(())
    };
    let closing_time = || {
        info!("closing time");
        ALL_ARE_HERE.store(true, Ordering::SeqCst);
    };
    match flag::trade(vec![till], write, closing_time, ask, SetStop::AfterTheTills)
    {
        Ok(()) => info!("everybody has gone home"),
        Err(why) => return lesson_log::failure(why),
    }
    ExitCode::SUCCESS
}
