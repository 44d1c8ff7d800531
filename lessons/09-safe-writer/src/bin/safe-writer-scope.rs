//! A scope waits for the writer on every way out, here out of a panic in `main`.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
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

fn run(path: &Path) -> Result<(), String> {
    let name = path.display();
    info!("100 pages are to be crawled for {name}");
    let start = Instant::now();
    // ANCHOR: scope
    thread::scope(|scope| {
        let (records, queue) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("writer".to_owned())
            .spawn_scoped(scope, move || write_records(&queue, path, start))
            .map_err(|error| format!("cannot start the thread writer: {error}"))?;
        // The sender is moved into `crawl`, and dropped on each way out of it.
        crawl(records, start);
        match writer.join() {
            Ok(Ok(())) => info!("all records are in {name}"),
            Ok(Err(error)) => return Err(format!("cannot write {name}: {error}")),
            Err(payload) => panic::resume_unwind(payload),
        }
        Ok(())
    })
    // ANCHOR_END: scope
}

/// Takes 10 ms for a page. One page is more than it can read.
fn crawl(records: Sender<String>, start: Instant) {
    for page in 1..=100 {
        sleep_until(start + page * Duration::from_millis(10));
        assert_ne!(page, 60, "page 60 cannot be read");
        let record = format!("record {page:03}: text of page {page:03}\n");
        if records.send(record).is_err() {
            return; // The writer has gone; its join says why.
        }
    }
    info!("all 100 records are handed over");
}

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
    info!("the queue is drained");
    Ok(())
}

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
