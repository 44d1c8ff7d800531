//! The sensor: numbers its readings, and repeats one until it is acknowledged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use tracing::info;

use crate::log::with;

/// How long it waits for an answer.
const LIMIT: Duration = Duration::from_secs(1);

pub struct Reading {
    pub number: u64,
    pub value: String,
}

/// Whether the gateway has the reading of this number.
pub struct Answer {
    pub number: u64,
    pub is_kept: bool,
}

pub struct Sensor {
    /// Where it keeps the number of the last reading that was acknowledged.
    pub memory: PathBuf,
    pub readings: SyncSender<Reading>,
    pub answers: Receiver<Answer>,
    pub stopped: Receiver<()>,
}

impl Sensor {
    // ANCHOR: run
    /// Offers a reading at each step, until it is told to stop.
    pub fn run(self, steps: u32, every: Duration) {
        let start = Instant::now();
        let mut last = remembered(&self.memory);
        for step in 1..=steps {
            if self.is_stopped_before(start + step * every) {
                return;
            }
            let number = last + 1;
            let tenths = number % 40 * 7 % 40;
            let value = format!("{}.{}", 18 + tenths / 10, tenths % 10);
            if self.offer(Reading { number, value: value.clone() }) {
                last = number;
                // Here a value follows from its number. A real sensor that falls behind in
                // its count gives a new reading an old number, and that reading is lost.
                if let Err(error) = remember(&self.memory, last) {
                    info!("reading {number} is not remembered: {error}");
                }
                info!("reading {number} is acknowledged: {value}");
            }
        }
        // A step and a half, in which the last one can be delivered.
        self.is_stopped_before(start + steps * every + every * 3 / 2);
    }

    /// Whether the gateway has it. Waits no longer than `LIMIT` in all, whatever the
    /// gateway waits for; at the next step it offers the same reading again.
    fn offer(&self, reading: Reading) -> bool {
        let (number, until) = (reading.number, Instant::now() + LIMIT);
        let mut offered = Some(reading);
        loop {
            // Where the last one is still in the way, its answer says that there is room.
            if let Some(reading) = offered.take()
                && let Err(TrySendError::Full(reading)) =
                    self.readings.try_send(reading)
            {
                offered = Some(reading);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(answer) if answer.number == number => return answer.is_kept,
                // Of an earlier one, and too late.
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    info!("no answer to reading {number} within {LIMIT:?}");
                    return false;
                }
            }
        }
    }
    // ANCHOR_END: run

    fn is_stopped_before(&self, moment: Instant) -> bool {
        let left = moment.saturating_duration_since(Instant::now());
        self.stopped.recv_timeout(left) != Err(RecvTimeoutError::Timeout)
    }
}

fn remember(memory: &Path, last: u64) -> io::Result<()> {
    let new = with(memory, ".new");
    fs::write(&new, format!("{last}\n"))?;
    fs::rename(&new, memory)
}

/// Without a memory that can be read it begins anew. A real sensor would need a new name then.
fn remembered(memory: &Path) -> u64 {
    fs::read_to_string(memory)
        .ok()
        .and_then(|text| text.trim_end().parse().ok())
        .unwrap_or(0)
}
