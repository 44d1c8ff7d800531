//! The same writer behind a `BufWriter`: whole blocks of records are lost.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "output.txt".to_owned());
    // What `BufWriter::new` takes, unless a size is given.
    let bytes = env::args().nth(2).unwrap_or_else(|| "8192".to_owned());
    let Ok(bytes) = bytes.parse() else {
        eprintln!("the size of the buffer is not a number of bytes: {bytes}");
        return ExitCode::FAILURE;
    };
    match run(&path, bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str, bytes: usize) -> io::Result<()> {
    // ANCHOR: change
    // The change: a write goes to a buffer first, and to the file when that is full.
    let output = BufWriter::with_capacity(bytes, File::create(path)?);
    // ANCHOR_END: change
    let start = Instant::now();
    info!("100 pages are to be crawled for {path}");
    let (records, queue) = mpsc::channel();
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, output, start))?;

    crawl(&records, start).map_err(io::Error::other)?;
    // Half a step of the writer: no record falls on the end.
    sleep_until(start + Duration::from_millis(1010));
    info!("all 100 records are handed over");
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
    mut output: BufWriter<File>,
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
