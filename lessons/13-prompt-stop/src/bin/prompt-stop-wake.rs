//! Four ways to wait and be woken; `main` wakes the thread in its wait or just before it.

use std::process::ExitCode;
use std::sync::{Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

static TOLD: Mutex<bool> = Mutex::new(false);
static WAKE: Condvar = Condvar::new();

/// Waits until the moment or for the stop; says whether it has been told to stop. It calls the second
/// just before its wait: with `early` the stop comes there.
type Wait = fn(Instant, &dyn Fn()) -> bool;

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let [way, when] = [(); 2].map(|()| words.next().unwrap_or_default());
    let wait: Option<Wait> = match way.as_str() {
        "notify" => Some(notify),
        "unlocked" => Some(unlocked),
        "while" => Some(wait_while),
        "park" => Some(park),
        _ => None,
    };
    let (Some(wait), "early" | "late") = (wait, when.as_str()) else {
        let why = "say: notify, unlocked, while or park; then early or late";
        return lesson_log::failure(why);
    };
    match run(wait, when == "early") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!(
            "cannot start the thread heartbeat: {error}"
        )),
    }
}

fn run(wait: Wait, early: bool) -> io::Result<()> {
    static WINDOW: Barrier = Barrier::new(2);
    let window = move || {
        if early {
            WINDOW.wait();
        }
    };
    info!("after 1 s the heartbeat is told to stop");
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || send_heartbeats(wait, &window))?;

    // ANCHOR: stop
    thread::sleep(Duration::from_secs(1));
    info!("told to stop");
    *told() = true;
    WAKE.notify_all();
    heartbeat.thread().unpark();
    window();
    // ANCHOR_END: stop
    if let Err(payload) = heartbeat.join() {
        panic::resume_unwind(payload);
    }
    Ok(())
}

/// A wait may also end by itself, before its time: only the time and the flag count.
fn send_heartbeats(wait: Wait, window: &dyn Fn()) {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}");
        let next = start + beat * Duration::from_secs(5);
        while Instant::now() < next {
            if wait(next, window) {
                return info!("signed off");
            }
        }
    }
}

// ANCHOR: notify
fn notify(next: Instant, window: &dyn Fn()) -> bool {
    window();
    *unpoisoned(WAKE.wait_timeout(told(), left(next))).0
}
// ANCHOR_END: notify

// ANCHOR: while
fn wait_while(next: Instant, window: &dyn Fn()) -> bool {
    window();
    *unpoisoned(WAKE.wait_timeout_while(told(), left(next), |told| !*told)).0
}
// ANCHOR_END: while

// ANCHOR: unlocked
fn unlocked(next: Instant, window: &dyn Fn()) -> bool {
    // Looks at the flag, and gives the lock back before it waits.
    if *told() {
        return true;
    }
    window();
    *unpoisoned(WAKE.wait_timeout(told(), left(next))).0
}
// ANCHOR_END: unlocked

// ANCHOR: park
fn park(next: Instant, window: &dyn Fn()) -> bool {
    window();
    while !*told() && Instant::now() < next {
        thread::park_timeout(left(next));
    }
    *told()
}
// ANCHOR_END: park

fn left(next: Instant) -> Duration {
    next.saturating_duration_since(Instant::now())
}

fn told() -> MutexGuard<'static, bool> {
    unpoisoned(TOLD.lock())
}

/// A `bool` is never half-written: a panic under its lock does it no harm.
fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
