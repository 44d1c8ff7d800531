//! A channel: the ledger leaves when no till is left that could send.

use std::panic;

use crate::step::Step;
use crate::sync::mpsc::{self, SendError};
use crate::sync::step;
use crate::sync::thread::{self, JoinHandle};

/// Runs the tills and the ledger; returns when all of them have ended.
pub fn trade<T: Iterator<Item = String> + Send + 'static>(
    tills: Vec<T>,
    mut write: impl FnMut(&str) -> Result<(), String> + Send + 'static,
    wait_for_closing_time: impl FnOnce(),
) -> Result<(), String> {
    // ANCHOR: ledger
    let (sender, sales) = mpsc::channel::<String>();
    let ledger = spawn("ledger", move || {
        for sale in sales {
            write(&sale)?;
        }
        step(Step::NoTillIsLeft);
        Ok(())
    })?;
    // ANCHOR_END: ledger
    let (mut threads, mut opened) = (Vec::new(), Ok(()));
    for (till, number) in tills.into_iter().zip(1..) {
        let sender = sender.clone();
        let hand_over = move |sale| {
            // The receiver is gone, and the error gives the sale back.
            if let Err(SendError(sale)) = sender.send(sale) {
                step(Step::OnPaper(sale));
            }
        };
        let serve = move || till.for_each(hand_over);
        match spawn(&format!("till-{number}"), serve) {
            Ok(till) => threads.push(till),
            Err(why) => opened = Err(why),
        }
    }
    // ANCHOR: close
    // From here on only tills can send; each drops its sender when it ends.
    drop(sender);

    if opened.is_ok() {
        wait_for_closing_time();
    }
    let (served, written) = (join_all(threads), ledger.join());
    // ANCHOR_END: close
    // A panic goes on when all have ended: it would end the process under the others.
    result_of(served);
    opened.and(result_of(written))
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// Waits for all, also where one has panicked.
fn join_all(threads: Vec<JoinHandle<()>>) -> std::thread::Result<()> {
    threads.into_iter().map(JoinHandle::join).fold(Ok(()), Result::and)
}

/// What a joined thread returned; if it panicked, the panic goes on here.
fn result_of<T>(joined: std::thread::Result<T>) -> T {
    match joined {
        Ok(result) => result,
        Err(payload) => panic::resume_unwind(payload),
    }
}
