//! Solution: the thread is woken at the end, and waited for only so long.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

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
    // ANCHOR: solution
    let (stop, stopped) = mpsc::channel();
    let (report_back, reported) = mpsc::channel();
    let progress = Arc::clone(&scored);
    thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
        report(&progress, &stopped, gateway);
        // Fails where `main` has given up: then nobody wants to know.
        let _ = report_back.send(());
    })?;

    score_batches(batches, &scored);
    info!("all batches are scored");
    // Wakes the thread from its pause; then the last report has two seconds.
    drop(stop);
    if reported.recv_timeout(Duration::from_secs(2)).is_err() {
        // Where nobody reads stderr, the job ends all the same.
        let _ = writeln!(io::stderr(), "the last report is given up");
    }
    // ANCHOR_END: solution
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

// ANCHOR: report
/// Pushes the progress at every interval, and once more at the end.
fn report(scored: &AtomicU32, stopped: &Receiver<()>, gateway: Duration) {
    loop {
        let pause = stopped.recv_timeout(INTERVAL);
        push(scored.load(Ordering::Relaxed), gateway);
        if pause == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
// ANCHOR_END: report

/// Stands for a request to a gateway, which takes its time to answer.
fn push(batches: u32, gateway: Duration) {
    thread::sleep(gateway);
    info!("the gateway has {batches} batches");
}
