//! A channel: the ledger leaves when no till is left that could send.

use std::{io, panic};

use crate::sync::mpsc::{self, SendError};
use crate::sync::step;
use crate::sync::thread::{self, JoinHandle};

// ANCHOR: trade
/// Runs the tills and the ledger; returns when all of them have ended.
pub fn trade<T: Iterator<Item = String> + Send + 'static>(
    tills: Vec<T>,
    mut write: impl FnMut(&str) -> io::Result<()> + Send + 'static,
    wait_for_closing_time: impl FnOnce(),
) -> io::Result<()> {
    let (sender, sales) = mpsc::channel::<String>();
    let keep_ledger = move || {
        for sale in sales {
            write(&sale)?;
        }
        step("no till is left: the ledger is closed");
        Ok(())
    };
    let ledger =
        thread::Builder::new().name("ledger".to_owned()).spawn(keep_ledger)?;
    let mut threads = Vec::new();
    for (till, number) in tills.into_iter().zip(1..) {
        let sender = sender.clone();
        let hand_over = move |sale| {
            // The receiver is gone, and the error gives the sale back.
            if let Err(SendError(sale)) = sender.send(sale) {
                step(&format!("the ledger has left; {sale} goes on paper"));
            }
        };
        let till = thread::Builder::new()
            .name(format!("till-{number}"))
            .spawn(move || till.for_each(hand_over))?;
        threads.push(till);
    }
    // From here on only tills can send; each drops its sender when it ends.
    drop(sender);

    wait_for_closing_time();
    threads.into_iter().for_each(join);
    join(ledger)
}
// ANCHOR_END: trade

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
