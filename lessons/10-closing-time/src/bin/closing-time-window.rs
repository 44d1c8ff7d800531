//! `flag.rs` with the narrow window held open: one till is enough to lose a sale.

#[path = "../flag.rs"]
mod flag;
// ANCHOR: sync
/// The names of `main.rs`, with a `step` that stops the ledger at the window.
mod sync {
    pub use std::sync::{Arc, Mutex, PoisonError, atomic};
    pub use std::thread;

    pub(crate) use super::step;
}

/// The ledger and the till meet here, then the ledger and `main`.
static QUEUE_IS_EMPTY: Barrier = Barrier::new(2);
static STOP_IS_SET: Barrier = Barrier::new(2);

fn step(what: &str) {
    info!("{what}");
    match what {
        // Only now the till hands over; the ledger waits until stop is set.
        "the queue is empty" => {
            QUEUE_IS_EMPTY.wait();
            STOP_IS_SET.wait();
        }
        "stop is set" => {
            STOP_IS_SET.wait();
        }
        _ => {}
    }
}
// ANCHOR_END: sync

use std::sync::Barrier;
use std::{io, iter};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
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
    let closing_time = || info!("closing time");
    flag::trade(vec![till], write, closing_time, true)?;
    info!("everybody has gone home");
    Ok(())
}
