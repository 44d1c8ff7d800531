//! `main` waits a second for a thread that needs five, then says what it gives up.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

const PARTS: u32 = 5;
static SENT: AtomicU32 = AtomicU32::new(0);

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let seconds = env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    let part = env::args().nth(2).unwrap_or_else(|| "0".to_owned());
    match (seconds.parse(), part.parse()) {
        (Ok(grace), Ok(refused @ ..=PARTS)) => return run(grace, refused),
        (Err(_), _) => eprintln!("not a number of seconds: {seconds}"),
        _ => eprintln!("not a part: {part}"),
    }
    Ok(ExitCode::FAILURE)
}

// ANCHOR: run
fn run(grace: u32, refused: u32) -> io::Result<ExitCode> {
    let (done, ended) = mpsc::channel::<Infallible>();
    let uploader = thread::Builder::new().name("uploader".to_owned());
    let upload = uploader.spawn(move || {
        // Nothing is sent. It is dropped when this thread ends, in a panic as well.
        let _done = done;
        upload_report(refused);
    })?;
    info!("the report is ready; uploader gets {grace} s");

    let waiting = Instant::now();
    let abandoned = match ended.recv_timeout(grace * SECOND) {
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => {
            // Does not wait for long: the thread has nothing left to do.
            upload.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
            false
        }
    };
    let held = waiting.elapsed().as_secs_f64();
    info!("waiting for uploader added {held:.1} s to the bill");
    Ok(if abandoned { give_up() } else { ExitCode::SUCCESS })
}
// ANCHOR_END: run

// ANCHOR: give-up
/// `EX_TEMPFAIL` of C's `sysexits.h`: it may work when it is tried again.
const TRY_AGAIN: u8 = 75;

fn give_up() -> ExitCode {
    let lost = PARTS - SENT.load(Ordering::Relaxed);
    eprintln!("uploader is abandoned: {lost} of {PARTS} parts are not sent");
    ExitCode::from(TRY_AGAIN)
}
// ANCHOR_END: give-up

// ANCHOR: upload
/// Sends a part each second, the first after half a second. The whole takes 5 s.
fn upload_report(refused: u32) {
    let start = Instant::now();
    for part in 1..=PARTS {
        sleep_until(start + part * SECOND - SECOND / 2);
        assert_ne!(part, refused, "the archive refuses part {part}");
        SENT.fetch_add(1, Ordering::Relaxed);
        info!("part {part} is sent");
    }
    sleep_until(start + PARTS * SECOND);
    info!("the archive confirms the report");
}
// ANCHOR_END: upload

const SECOND: Duration = Duration::from_secs(1);

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
