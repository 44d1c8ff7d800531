//! The sender stays with `main`, so nobody hears of the end of the thread.

use std::convert::Infallible;
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
    let seconds = env::args_os().nth(1).unwrap_or_else(|| "1".into());
    let seconds = seconds.display();
    let Ok(grace) = seconds.to_string().parse() else {
        return lesson_log::failure(format!("not a number of seconds: {seconds}"));
    };
    run(grace).unwrap_or_else(lesson_log::failure)
}

fn run(grace: u32) -> Result<ExitCode, String> {
    let (done, ended) = mpsc::channel::<Infallible>();
    let upload = thread::Builder::new()
        .name("uploader".to_owned())
        .spawn(move || {
            // ANCHOR: change
            // `_`, not `_done`: it binds nothing, so nothing moves here.
            let _ = done;
            // ANCHOR_END: change
            upload_report();
        })
        .map_err(|error| format!("cannot start the thread uploader: {error}"))?;
    info!("the report is ready; uploader gets {grace} s");

    let waiting = Instant::now();
    // No arm for `Ok`: the compiler knows that nothing can be sent.
    let Err(error) = ended.recv_timeout(grace * SECOND);
    let held = waiting.elapsed().as_secs_f64();
    info!("waiting for uploader added {held:.1} s to the bill");
    match error {
        RecvTimeoutError::Timeout => Ok(give_up()),
        // It has ended; only the join knows how.
        RecvTimeoutError::Disconnected => match upload.join() {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(payload) => panic::resume_unwind(payload),
        },
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
