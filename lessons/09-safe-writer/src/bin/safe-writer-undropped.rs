//! The writer is joined, and the channel is still open: the program never ends.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "output.txt".to_owned());
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> io::Result<()> {
    let output = File::create(path)?;
    let start = Instant::now();
    info!("100 pages are to be crawled for {path}");
    let (records, queue) = mpsc::channel();
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, output, start))?;

    // An error here says that the writer has gone; its join says why.
    if crawl(&records, start).is_ok() {
        info!("all 100 records are handed over");
    }
    // ANCHOR: change
    // The change: `records` is not dropped. The writer waits for a record 101.
    writer.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("all records are in {path}");
    // ANCHOR_END: change
    Ok(())
}

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

/// Takes 20 ms for a record.
fn write_records(
    queue: &Receiver<String>,
    mut output: File,
    start: Instant,
) -> io::Result<()> {
    for (record, count) in queue.iter().zip(1..) {
        sleep_until(start + count * Duration::from_millis(20));
        output.write_all(record.as_bytes())?;
        if count % 20 == 0 {
            info!("{count} records are written");
        }
    }
    Ok(())
}

/// Paced against the start: the time that a step takes does not add up.
fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
