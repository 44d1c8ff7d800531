//! The same deadline, and `main` asks every 10 ms whether the thread is finished.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

const PARTS: u32 = 5;
static SENT: AtomicU32 = AtomicU32::new(0);

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
    // The change: no channel; a look every 10 ms.
    let deadline = waiting + grace * SECOND;
    while !upload.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    // Asked once more, and once only: it may have ended after the last look.
    let answer = if upload.is_finished() { Some(upload.join()) } else { None };
    // ANCHOR_END: change
    let held = waiting.elapsed().as_secs_f64();
    info!("waiting for uploader added {held:.1} s to the bill");
    match answer {
        None => Ok(give_up()),
        Some(Ok(())) => Ok(ExitCode::SUCCESS),
        Some(Err(payload)) => panic::resume_unwind(payload),
    }
}

/// `EX_TEMPFAIL` of C's `sysexits.h`: it may work when it is tried again.
const TRY_AGAIN: u8 = 75;

fn give_up() -> ExitCode {
    let lost = PARTS - SENT.load(Ordering::Relaxed);
    lesson_log::failure(format_args!(
        "uploader is abandoned: {lost} of {PARTS} parts are not sent"
    ));
    ExitCode::from(TRY_AGAIN)
}

/// Sends a part each second, the first after half a second. The whole takes 5 s.
fn upload_report() {
    let start = Instant::now();
    for part in 1..=PARTS {
        sleep_until(start + part * SECOND - SECOND / 2);
        SENT.fetch_add(1, Ordering::Relaxed);
        info!("part {part} is sent");
    }
    sleep_until(start + PARTS * SECOND);
    info!("the archive confirms the report");
}

const SECOND: Duration = Duration::from_secs(1);

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
