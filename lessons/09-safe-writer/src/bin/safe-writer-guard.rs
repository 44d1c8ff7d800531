//! A guard joins the writer on every way out, here out of a panic in `main`.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

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

// ANCHOR: run
fn run(path: &str) -> io::Result<()> {
    let output = File::create(path)?;
    let start = Instant::now();
    info!("100 pages are to be crawled for {path}");
    // Declared before `records`, so dropped after it: first the channel closes.
    let mut writer = JoinOnDrop(None);
    let (records, queue) = mpsc::channel();
    let builder = thread::Builder::new().name("writer".to_owned());
    writer.0 = Some(builder.spawn(move || write_records(&queue, output, start))?);

    if crawl(&records, start).is_ok() {
        info!("all 100 records are handed over");
    }
    drop(records);
    writer.join()
}

struct JoinOnDrop(Option<JoinHandle<io::Result<()>>>);

impl JoinOnDrop {
    fn join(mut self) -> io::Result<()> {
        let joined = self.0.take().map_or(Ok(Ok(())), JoinHandle::join);
        joined.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }
}

impl Drop for JoinOnDrop {
    /// On the other ways out: nobody is left to take an error, so it is only told.
    fn drop(&mut self) {
        match self.0.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => eprintln!("the writer failed: {error}"),
            Some(Err(_)) => eprintln!("the writer panicked"),
            Some(Ok(Ok(()))) => info!("the queue is drained"),
            None => {}
        }
    }
}
// ANCHOR_END: run

/// Takes 10 ms for a page, then hands its record over. One page is more than it can read.
fn crawl(
    records: &Sender<String>,
    start: Instant,
) -> Result<(), SendError<String>> {
    for page in 1..=100 {
        sleep_until(start + page * Duration::from_millis(10));
        assert_ne!(page, 60, "page 60 cannot be read");
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
