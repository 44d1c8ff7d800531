//! Exercise: a nightly job reports its progress, and its end waits for the report.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p inference-telemetry --bin inference-telemetry-exercise -- 7 600
//! Check it:    cargo test inference-telemetry
//!              (this file alone: cargo test exercise::inference-telemetry)
//! Start over:  git restore lessons/19-inference-telemetry/src/bin/inference-telemetry-exercise.rs

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

/// The pause between two reports.
const INTERVAL: Duration = Duration::from_millis(2200);

fn main() -> ExitCode {
    lesson_log::init();
    let number =
        |nth| env::args_os().nth(nth).and_then(|text| text.to_str()?.parse().ok());
    let (Some(batches), Some(gateway)) = (number(1), number(2)) else {
        return lesson_log::failure(
            "give a number of batches, and the milliseconds that the gateway takes",
        );
    };
    match score(batches, Duration::from_millis(gateway.into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lesson_log::failure(format_args!("cannot start the thread: {error}"))
        }
    }
}

fn score(batches: u32, gateway: Duration) -> io::Result<()> {
    info!("{batches} batches are to be scored");
    let scored = Arc::new(AtomicU32::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let (progress, stopped) = (Arc::clone(&scored), Arc::clone(&stop));
    let telemetry = thread::Builder::new()
        .name("telemetry".to_owned())
        .spawn(move || report(&progress, &stopped, gateway))?;

    score_batches(batches, &scored);
    info!("all batches are scored");
    // The last report matters most: it is the one with the whole sum.
    stop.store(true, Ordering::Relaxed);
    telemetry.join().unwrap_or_else(|payload| panic::resume_unwind(payload));
    info!("the job ends");
    Ok(())
}

/// The job: half a second for each batch.
fn score_batches(batches: u32, scored: &AtomicU32) {
    let start = Instant::now();
    for batch in 1..=batches {
        let done = start + batch * Duration::from_millis(500);
        thread::sleep(done.saturating_duration_since(Instant::now()));
        scored.store(batch, Ordering::Relaxed);
    }
}

/// Pushes the progress at every interval, and once more at the end.
fn report(scored: &AtomicU32, stopped: &AtomicBool, gateway: Duration) {
    while !stopped.load(Ordering::Relaxed) {
        thread::sleep(INTERVAL);
        push(scored.load(Ordering::Relaxed), gateway);
    }
}

/// Stands for a request to a gateway, which takes its time to answer.
fn push(batches: u32, gateway: Duration) {
    thread::sleep(gateway);
    info!("the gateway has {batches} batches");
}
