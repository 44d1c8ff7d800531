//! The same crawler and writer: the channel is closed, drained, and the writer joined.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "output.txt".into());
    match run(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: run
fn run(path: &Path) -> Result<(), String> {
    let (output, name) = (path.to_owned(), path.display());
    info!("100 pages are to be crawled for {name}");
    let start = Instant::now();
    let (records, queue) = mpsc::channel();
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, &output, start))
        .map_err(|error| format!("cannot start the thread writer: {error}"))?;

    // An error here says that the writer has gone; its join says why.
    if crawl(&records, start).is_ok() {
        info!("all 100 records are handed over");
    }
    // ANCHOR: stop
    // Closes the channel: the writer's loop ends when the queue is empty.
    drop(records);
    match writer.join() {
        Ok(Ok(())) => info!("all records are in {name}"),
        Ok(Err(error)) => return Err(format!("cannot write {name}: {error}")),
        Err(payload) => panic::resume_unwind(payload),
    }
    // ANCHOR_END: stop
    Ok(())
}
// ANCHOR_END: run

/// Takes 10 ms for a page, then hands its record over.
fn crawl(
    records: &Sender<String>,
    start: Instant,
) -> Result<(), SendError<String>> {
    for page in 1..=100 {
        sleep_until(start + page * Duration::from_millis(10));
        records.send(format!("record {page:03}: text of page {page:03}\n"))?;
    }
    Ok(())
}

// ANCHOR: writer
/// Takes 20 ms for a record. Whichever way it ends, `queue` goes with it.
fn write_records(
    queue: &Receiver<String>,
    path: &Path,
    start: Instant,
) -> io::Result<()> {
    let mut output = create_alone(path)?;
    for (record, count) in queue.iter().zip(1..) {
        sleep_until(start + count * Duration::from_millis(20));
        output.write_all(record.as_bytes())?;
        if count % 20 == 0 {
            info!("{count} records are written");
        }
    }
    Ok(())
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
