//! The patient way: `main` joins, and the thread decides when the process ends.

use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

const PARTS: u32 = 5;

fn main() -> ExitCode {
    lesson_log::init();
    let seconds = env::args_os().nth(1).unwrap_or_else(|| "1".into());
    let seconds = seconds.display();
    let Ok(grace) = seconds.to_string().parse() else {
        return lesson_log::failure(format!("not a number of seconds: {seconds}"));
    };
    run(grace).unwrap_or_else(lesson_log::failure)
}

fn run(grace: u32) -> Result<ExitCode, String> {
    let upload = thread::Builder::new()
        .name("uploader".to_owned())
        .spawn(upload_report)
        .map_err(|error| format!("cannot start the thread uploader: {error}"))?;
    info!("the report is ready; uploader gets {grace} s");

    let waiting = Instant::now();
    // ANCHOR: change
    // The change: nobody looks at the grace period.
    let answer = upload.join();
    // ANCHOR_END: change
    let held = waiting.elapsed().as_secs_f64();
    info!("waiting for uploader added {held:.1} s to the bill");
    match answer {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Sends a part each second, the first after half a second. The whole takes 5 s.
fn upload_report() {
    let start = Instant::now();
    for part in 1..=PARTS {
        sleep_until(start + part * SECOND - SECOND / 2);
        info!("part {part} is sent");
    }
    sleep_until(start + PARTS * SECOND);
    info!("the archive confirms the report");
}

const SECOND: Duration = Duration::from_secs(1);

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
