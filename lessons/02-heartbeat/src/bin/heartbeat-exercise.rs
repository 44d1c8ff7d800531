//! Exercise: a job that must be finished, and a helper that must not hold it up.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p heartbeat --bin heartbeat-exercise -- 5
//! Check it:    cargo test heartbeat
//!              (this file alone: cargo test exercise::heartbeat)
//! Start over:  git restore lessons/02-heartbeat/src/bin/heartbeat-exercise.rs

use std::env;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    let (rows, bad) = (number(1)?.unwrap_or(5), number(2)?.unwrap_or(0));
    info!("the export of {rows} rows starts");
    let threads = [
        spawn("export", move || export(rows, bad))?,
        spawn("status", report_status)?,
    ];
    // Every row is to be exported, so nothing may be left undone.
    for thread in threads {
        finish(thread)?;
    }
    info!("the export is complete");
    Ok(())
}

/// The job: half a second for each row. It panics where a row cannot be exported.
fn export(rows: u32, bad: u32) {
    let start = Instant::now();
    for row in 1..=rows {
        sleep_until(start + row * Duration::from_millis(500));
        assert!(row != bad, "row {row} cannot be exported");
        info!("row {row} is exported");
    }
}

/// The helper: tells the scheduler every two seconds that the job is under way.
fn report_status() {
    let start = Instant::now();
    for report in 1.. {
        info!("report {report}: under way");
        sleep_until(start + report * Duration::from_secs(2));
    }
}

/// With the word `full` behind the numbers the machine has no thread left for the status.
fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, String> {
    let is_full = name == "status" && env::args_os().nth(3).is_some();
    // A stack that no process may have is refused with the same error as a thread too many.
    let stack = if is_full { 1 << 60 } else { 2 << 20 };
    let thread =
        thread::Builder::new().name(name.to_owned()).stack_size(stack).spawn(work);
    thread.map_err(|why| format!("cannot start the thread {name}: {why}"))
}

/// Waits for a thread. If it panicked, that is an error.
fn finish(thread: JoinHandle<()>) -> Result<(), String> {
    thread.join().map_err(|_| "a thread panicked".to_owned())
}

fn number(argument: usize) -> Result<Option<u32>, String> {
    let Some(text) = env::args_os().nth(argument) else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| format!("{} is not a number of rows", text.display()))
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
