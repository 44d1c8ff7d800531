//! Carries payments from the buffer to the ledger: each at least once.

use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

use crate::Result;
use crate::ledger::{Ledger, Outcome, Payment};

const TRIES: u32 = 3;

/// How long one that has failed waits, in milliseconds, from that failure on.
pub fn pause(failures: u32) -> i64 {
    i64::from(failures) * 1000
}

// ANCHOR: buffer
/// Where acknowledged payments wait.
pub trait Buffer {
    /// Returns when the payment is as safe as this buffer makes it.
    fn accept(&mut self, payment: &Payment) -> Result<()>;
    /// The first that is due, if there is one.
    fn next(&mut self) -> Result<Option<Waiting>>;
    /// Whether none waits, due or not.
    fn is_empty(&mut self) -> Result<bool>;
    /// Removes one that is in the ledger, and its dead letter, if it had one.
    fn strike_out(&mut self, waiting: &Waiting) -> Result<()>;
    /// Counts a failure; it comes again after a [`pause`].
    fn put_back(&mut self, waiting: &Waiting) -> Result<()>;
    /// Lays it aside for a human to look at, in one step.
    fn bury(&mut self, waiting: &Waiting, reason: &str) -> Result<()>;
    /// A line for each that waits and for each dead letter.
    fn report(&mut self) -> Result<Vec<String>>;
}
// ANCHOR_END: buffer

pub struct Waiting {
    pub payment: Payment,
    /// The buffer's own name for it.
    pub id: String,
    pub failures: u32,
}

// ANCHOR: deliver
/// Carries one payment over; `false` if none is due.
fn deliver_next(buffer: &mut dyn Buffer, ledger: &mut Ledger) -> Result<bool> {
    let Some(waiting) = buffer.next()? else { return Ok(false) };
    let Payment { key, account, amount } = &waiting.payment;
    match ledger.apply(&waiting.payment)? {
        Outcome::Applied => info!("{key} is applied: {amount} to {account}"),
        Outcome::AppliedBefore => info!("{key} was applied before"),
        Outcome::Refused(reason) => {
            let failures = waiting.failures + 1;
            info!("{key} has failed, {failures} of {TRIES}: {reason}");
            if failures < TRIES {
                buffer.put_back(&waiting)?;
            } else {
                buffer.bury(&waiting, &reason)?;
            }
            return Ok(true);
        }
    }
    // Last: a relay that is killed before this line does the same once more.
    buffer.strike_out(&waiting)?;
    Ok(true)
}
// ANCHOR_END: deliver

pub fn deliver_all(buffer: &mut dyn Buffer, ledger: &mut Ledger) -> Result<()> {
    loop {
        if deliver_next(buffer, ledger)? {
            continue;
        }
        if buffer.is_empty()? {
            break;
        }
        // One that has failed is not due yet, or another relay has it.
        thread::sleep(Duration::from_millis(20));
    }
    // What is left in the buffer now is dead letters.
    buffer.report()?.iter().for_each(|line| info!("{line}"));
    info!("all is delivered: {}", ledger.balances()?.join(", "));
    Ok(())
}

/// Slow enough to be watched, and to be cut off. Returns only with an error.
pub fn deliver_each_second(
    buffer: &mut dyn Buffer,
    ledger: &mut Ledger,
) -> Result<()> {
    let mut tick = Instant::now();
    loop {
        tick += Duration::from_secs(1);
        thread::sleep(tick.saturating_duration_since(Instant::now()));
        deliver_next(buffer, ledger)?;
    }
}
