//! The writer is told to stop by a flag; it stops when the queue is empty as well.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError, Sender};
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
    let stop = Arc::new(AtomicBool::new(false));
    let told_to_stop = Arc::clone(&stop);
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, output, start, &told_to_stop))?;

    // An error here says that the writer has gone; its join says why.
    if crawl(&records, start).is_ok() {
        info!("all 100 records are handed over");
    }
    // ANCHOR: stop
    // Set after the last `send`: who sees it finds every record in the queue.
    stop.store(true, Ordering::Release);
    writer.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("all records are in {path}");
    // ANCHOR_END: stop
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

// ANCHOR: writer
/// Takes 20 ms for a record.
fn write_records(
    queue: &Receiver<String>,
    mut output: File,
    start: Instant,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut count = 0;
    loop {
        // First the flag, then the queue. The other way round, a record that comes
        // between the two looks is left behind.
        let told_to_stop = stop.load(Ordering::Acquire);
        let record = match queue.recv_timeout(Duration::from_millis(50)) {
            Ok(record) => record,
            Err(RecvTimeoutError::Timeout) if !told_to_stop => continue,
            Err(_) => return Ok(()),
        };
        count += 1;
        sleep_until(start + count * Duration::from_millis(20));
        output.write_all(record.as_bytes())?;
        if count % 20 == 0 {
            info!("{count} records are written");
        }
    }
}
// ANCHOR_END: writer

/// Paced against the start: the time that a step takes does not add up.
fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
