//! `main` waits a second for a thread that needs five, then says what it gives up.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

const PARTS: u32 = 5;
static SENT: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let seconds = words.next().unwrap_or_else(|| "1".to_owned());
    let trouble = words.next().unwrap_or_default();
    let Ok(grace) = seconds.parse() else {
        return lesson_log::failure(format!("not a number of seconds: {seconds}"));
    };
    if !["", "refused", "panic"].contains(&trouble.as_str()) {
        return lesson_log::failure(format!("not refused or panic: {trouble}"));
    }
    run(grace, trouble).unwrap_or_else(lesson_log::failure)
}

// ANCHOR: run
fn run(grace: u32, trouble: String) -> Result<ExitCode, String> {
    let (tx, rx) = mpsc::channel();
    let upload = thread::Builder::new()
        .name("uploader".to_owned())
        .spawn(move || {
            // Nobody receives it any more if `main` has given up.
            let _ = tx.send(upload_report(&trouble));
        })
        .map_err(|error| format!("cannot start the thread uploader: {error}"))?;
    info!("the report is ready; uploader gets {grace} s");

    let waiting = Instant::now();
    let answer = rx.recv_timeout(grace * SECOND);
    let held = waiting.elapsed().as_secs_f64();
    info!("waiting for uploader added {held:.1} s to the bill");
    if answer == Err(RecvTimeoutError::Timeout) {
        return Ok(give_up());
    }
    // It has nothing left to do but to end.
    if let Err(payload) = upload.join() {
        panic::resume_unwind(payload);
    }
    match answer {
        Ok(Ok(())) => Ok(ExitCode::SUCCESS),
        Ok(Err(why)) => Err(format!("the report is not uploaded: {why}")),
        Err(_) => Err("uploader has ended without an answer".to_owned()),
    }
}
// ANCHOR_END: run

// ANCHOR: give-up
/// `EX_TEMPFAIL` of C's `sysexits.h`: it may work when it is tried again.
const TRY_AGAIN: u8 = 75;

fn give_up() -> ExitCode {
    let lost = PARTS - SENT.load(Ordering::Relaxed);
    lesson_log::failure(format_args!(
        "uploader is abandoned: {lost} of {PARTS} parts are not sent"
    ));
    ExitCode::from(TRY_AGAIN)
}
// ANCHOR_END: give-up

// ANCHOR: upload
/// Sends a part each second, the first after half a second. The whole takes 5 s.
fn upload_report(trouble: &str) -> Result<(), String> {
    let start = Instant::now();
    for part in 1..=PARTS {
        sleep_until(start + part * SECOND - SECOND / 2);
        match trouble {
            "refused" if part == 2 => return Err("part 2 is refused".to_owned()),
            "panic" if part == 2 => panic!("part 2 has no checksum"),
            _ => {}
        }
        SENT.fetch_add(1, Ordering::Relaxed);
        info!("part {part} is sent");
    }
    sleep_until(start + PARTS * SECOND);
    info!("the archive confirms the report");
    Ok(())
}
// ANCHOR_END: upload

const SECOND: Duration = Duration::from_secs(1);

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
