//! A stop flag beside a queue: the ledger leaves when the queue is empty and stop is set.

use std::collections::VecDeque;
use std::time::Duration;
use std::{io, panic};

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Mutex, PoisonError, step};

#[derive(Default)]
struct Shop {
    sales: Mutex<VecDeque<String>>,
    stop: AtomicBool,
}

// ANCHOR: trade
/// Runs the tills and the ledger; returns when all of them have ended.
pub fn trade<T: Iterator<Item = String> + Send + 'static>(
    tills: Vec<T>,
    write: impl FnMut(&str) -> io::Result<()> + Send + 'static,
    wait_for_closing_time: impl FnOnce(),
    tills_first: bool,
) -> io::Result<()> {
    let shop = Arc::new(Shop::default());
    let ledger = thread::Builder::new().name("ledger".to_owned()).spawn({
        let shop = Arc::clone(&shop);
        move || shop.keep_ledger(write)
    })?;
    let mut threads = Vec::new();
    for (till, number) in tills.into_iter().zip(1..) {
        let shop = Arc::clone(&shop);
        let serve = move || till.for_each(|sale| shop.hand_over(sale));
        let name = format!("till-{number}");
        threads.push(thread::Builder::new().name(name).spawn(serve)?);
    }

    wait_for_closing_time();
    if tills_first {
        threads.into_iter().for_each(join);
        shop.set_stop();
    } else {
        shop.set_stop();
        threads.into_iter().for_each(join);
    }
    join(ledger)
}
// ANCHOR_END: trade

impl Shop {
    fn hand_over(&self, sale: String) {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner).push_back(sale);
    }

    // ANCHOR: ledger
    fn keep_ledger(
        &self,
        mut write: impl FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            if let Some(sale) = self.take_next() {
                write(&sale)?;
                continue;
            }
            step("the queue is empty");
            if self.stop.load(Ordering::SeqCst) {
                step("stop is set: the ledger is closed");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    // ANCHOR_END: ledger

    fn take_next(&self) -> Option<String> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn set_stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        step("stop is set");
    }
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
