//! A stop flag beside a queue: the ledger leaves when the queue is empty and stop is set.

use std::collections::VecDeque;
use std::panic;
use std::time::Duration;

use crate::step::Step;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Mutex, PoisonError, step};

/// Which of its two questions the ledger asks first.
pub enum Ask {
    QueueFirst,
    StopFirst,
}

/// When `main` sets stop.
pub enum SetStop {
    AtClosingTime,
    AfterTheTills,
}

#[derive(Default)]
struct Shop {
    sales: Mutex<VecDeque<String>>,
    stop: AtomicBool,
}

// ANCHOR: trade
/// Runs the tills and the ledger; returns when all of them have ended.
pub fn trade<T: Iterator<Item = String> + Send + 'static>(
    tills: Vec<T>,
    write: impl FnMut(&str) -> Result<(), String> + Send + 'static,
    wait_for_closing_time: impl FnOnce(),
    ask: Ask,
    set_stop: SetStop,
) -> Result<(), String> {
    let shop = Arc::new(Shop::default());
    let ledger = spawn("ledger", {
        let shop = Arc::clone(&shop);
        move || match ask {
            Ask::QueueFirst => shop.keep_ledger(write),
            Ask::StopFirst => shop.keep_ledger_repaired(write),
        }
    })?;
    let (mut threads, mut opened) = (Vec::new(), Ok(()));
    for (till, number) in tills.into_iter().zip(1..) {
        let shop = Arc::clone(&shop);
        let serve = move || till.for_each(|sale| shop.hand_over(sale));
        match spawn(&format!("till-{number}"), serve) {
            Ok(till) => threads.push(till),
            Err(why) => opened = Err(why),
        }
    }

    if opened.is_ok() {
        wait_for_closing_time();
    }
    // ANCHOR: stop
    let served;
    match set_stop {
        SetStop::AtClosingTime => {
            shop.set_stop();
            served = join_all(threads);
        }
        SetStop::AfterTheTills => {
            served = join_all(threads);
            shop.set_stop();
        }
    }
    let written = ledger.join();
    // ANCHOR_END: stop
    // A panic goes on when all have ended: it would end the process under the others.
    result_of(served);
    opened.and(result_of(written))
}
// ANCHOR_END: trade

impl Shop {
    fn hand_over(&self, sale: String) {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner).push_back(sale);
    }

    // ANCHOR: ledger
    fn keep_ledger(
        &self,
        mut write: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        loop {
            if let Some(sale) = self.take_next() {
                write(&sale)?;
                continue;
            }
            step(Step::QueueIsEmpty);
            // Whatever is handed over here is lost if stop is set as well.
            if self.stop.load(Ordering::SeqCst) {
                step(Step::LedgerSawStop);
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    // ANCHOR_END: ledger

    fn keep_ledger_repaired(
        &self,
        mut write: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        // ANCHOR: repaired
        loop {
            // The change: stop is asked for before the last look into the queue.
            let stop = self.stop.load(Ordering::SeqCst);
            if let Some(sale) = self.take_next() {
                write(&sale)?;
                continue;
            }
            step(Step::QueueIsEmpty);
            if stop {
                step(Step::LedgerSawStop);
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        // ANCHOR_END: repaired
    }

    fn take_next(&self) -> Option<String> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn set_stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        step(Step::StopIsSet);
    }
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
