//! A flag is set while the writer is blocked in `recv`: nothing wakes it.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

/// The flag says nothing of the records: `Relaxed` is enough.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1);
    if way.as_ref().is_some_and(|way| way != "close") {
        return lesson_log::failure("the only argument is close");
    }
    match run(way.is_some()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(close: bool) -> Result<(), String> {
    info!("10 pages are to be crawled for output.txt");
    let start = Instant::now();
    let (records, queue) = mpsc::channel();
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue))
        .map_err(|error| format!("cannot start the thread writer: {error}"))?;

    for page in 1..=10 {
        sleep_until(start + page * Duration::from_millis(50));
        if records.send(format!("record {page:03}\n")).is_err() {
            break; // The writer has gone; its join says why.
        }
    }
    // Long enough for the writer to wait for a record 11.
    sleep_until(start + Duration::from_secs(1));
    // ANCHOR: stop
    STOP.store(true, Ordering::Relaxed);
    info!("stop is set");
    if close {
        drop(records);
    }
    match writer.join() {
        // What the writer did before it ended, `join` makes visible here.
        Ok(Ok(count)) => info!("the writer wrote {count} records"),
        Ok(Err(error)) => return Err(format!("cannot write output.txt: {error}")),
        Err(payload) => panic::resume_unwind(payload),
    }
    // ANCHOR_END: stop
    Ok(())
}

// ANCHOR: writer
/// As fast as the records come.
fn write_records(queue: &Receiver<String>) -> io::Result<u32> {
    let mut output = create_alone(Path::new("output.txt"))?;
    let mut count = 0;
    while !STOP.load(Ordering::Relaxed) {
        // Here it waits, and here it does not look at the flag.
        let Ok(record) = queue.recv() else { break };
        output.write_all(record.as_bytes())?;
        count += 1;
    }
    Ok(count)
}
// ANCHOR_END: writer

/// Starts the file anew, for this run alone: two runs would mix their records.
fn create_alone(path: &Path) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.is_file() {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another run is writing to it"));
        }
        file.set_len(0)?;
    }
    Ok(file)
}

/// Paced against the start: the time that a step takes does not add up.
fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
