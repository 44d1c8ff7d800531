//! The same helper, and what ends it belongs to the closure: no way out can pass it by.

use std::env;
use std::ffi::OsStr;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, Builder, Scope};
use std::time::{Duration, Instant};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let till = env::args_os().nth(1).unwrap_or_default();
    match close_the_day(&till) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: day
fn close_the_day(till: &OsStr) -> Result<(), String> {
    info!("the till is being counted");
    thread::scope(|scope| {
        // A local of the closure: a `?`, a `return` and a panic drop it as its end does.
        let (_counting, counted) = mpsc::channel();
        display(scope, move || show_until(&counted))?;
        count_the_till(till)
    })
}

/// Shows each half second that somebody counts; ends when the channel's other end is dropped.
fn show_until(counted: &Receiver<()>) {
    let start = Instant::now();
    for turn in 1.. {
        let pause = until(start + turn * Duration::from_millis(500));
        if counted.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        info!("counting");
    }
}
// ANCHOR_END: day

/// Takes a second and a quarter. A till that is short of money is an error; one that is stuck is
/// a panic.
fn count_the_till(till: &OsStr) -> Result<(), String> {
    thread::sleep(Duration::from_millis(1250));
    if till == "short" {
        return Err("the till is short of 3".to_owned());
    }
    if till == "stuck" {
        panic!("the till does not open");
    }
    info!("the till is counted");
    Ok(())
}

fn display<'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), String> {
    let thread =
        Builder::new().name("display".to_owned()).spawn_scoped(scope, work);
    thread
        .map(drop)
        .map_err(|error| format!("cannot start the thread display: {error}"))
}

fn until(time: Instant) -> Duration {
    time.saturating_duration_since(Instant::now())
}
