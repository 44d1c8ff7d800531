//! Solution: the thread is woken at the end, and waited for only so long.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

/// How often the job reports.
const INTERVAL: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    lesson_log::init();
    let number = |nth, default| {
        env::args().nth(nth).map_or(Ok(default), |text| text.parse())
    };
    let (Ok(batches), Ok(gateway)) = (number(1, 3), number(2, 0)) else {
        eprintln!(
            "give a number of batches and the seconds that the gateway takes"
        );
        return ExitCode::FAILURE;
    };
    match score(batches, Duration::from_secs(gateway.into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot score: {error}");
            ExitCode::FAILURE
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
        // Nobody listens any more where `main` has given up.
        let _ = report_back.send(());
    })?;

    score_batches(batches, &scored);
    info!("all batches are scored");
    // Wakes the thread from its pause; then the last report has two seconds.
    drop(stop);
    if reported.recv_timeout(Duration::from_secs(2)).is_err() {
        eprintln!("the last report is given up");
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
