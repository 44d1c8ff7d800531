//! A crawler hands records to a writer that is half as fast, and nobody waits for it.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "output.txt".into());
    match run(path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: run
fn run(path: &Path) -> Result<(), String> {
    let cannot =
        |why: &dyn Display| format!("cannot write {}: {why}", path.display());
    let output = open_alone(path).map_err(|why| cannot(&why))?;
    let start = Instant::now();
    info!("100 pages are to be crawled for {}", path.display());
    let (records, queue) = mpsc::channel();
    // The handle is dropped at once: `writer` is detached.
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, output, start))
        .map_err(|why| format!("cannot start the thread writer: {why}"))?;

    crawl(&records, start).map_err(|why| cannot(&why))?;
    // Half a step of the writer: no record falls on the end.
    sleep_until(start + Duration::from_millis(1010));
    info!("all 100 records are handed over");
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: crawl
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
// ANCHOR_END: crawl

// ANCHOR: writer
/// Takes 20 ms for a record.
fn write_records(
    queue: &Receiver<String>,
    mut output: File,
    start: Instant,
) -> io::Result<()> {
    empty(&output)?;
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

/// Opens the file for this run alone: two runs would mix their records.
fn open_alone(path: &Path) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if let (true, Err(TryLockError::WouldBlock)) =
        (file.metadata()?.is_file(), file.try_lock())
    {
        return Err(io::Error::other("another run is writing to it"));
    }
    Ok(file)
}

/// Empties an old file. Devices have no length.
fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}

/// Paced against the start: the time that a step takes does not add up.
fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
