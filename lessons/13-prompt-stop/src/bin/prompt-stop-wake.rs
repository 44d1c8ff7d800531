//! Four ways to wait and be woken; `main` wakes the thread in its wait or just before it.

use std::process::ExitCode;
use std::sync::{Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

static TOLD: Mutex<bool> = Mutex::new(false);
static WAKE: Condvar = Condvar::new();
/// Here the thread waits with `early`, so that the stop comes before its wait.
static WINDOW: Barrier = Barrier::new(2);

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let [way, when] = [1, 2].map(|n| env::args().nth(n).unwrap_or_default());
    if !["notify", "unlocked", "while", "park"].contains(&way.as_str())
        || !["early", "late"].contains(&when.as_str())
    {
        eprintln!("say: notify, unlocked, while or park; then early or late");
        return Ok(ExitCode::FAILURE);
    }
    info!("after 1 s the heartbeat is told to stop");
    let early = when == "early";
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || send_heartbeats(&way, early))?;

    // ANCHOR: stop
    thread::sleep(Duration::from_secs(1));
    info!("told to stop");
    *told() = true;
    WAKE.notify_all();
    heartbeat.thread().unpark();
    window(early);
    heartbeat.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    // ANCHOR_END: stop
    Ok(ExitCode::SUCCESS)
}

/// A wait may also end by itself, before its time: only the time and the flag count.
fn send_heartbeats(way: &str, early: bool) {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}");
        let next = start + beat * Duration::from_secs(5);
        while Instant::now() < next {
            if wait_until(next, way, early) {
                return info!("signed off");
            }
        }
    }
}

// ANCHOR: wait
/// Waits until `next` or for the stop; says whether it has been told to stop.
fn wait_until(next: Instant, way: &str, early: bool) -> bool {
    // Looks at the flag, and gives the lock back before it waits.
    if way == "unlocked" && *told() {
        return true;
    }
    window(early);
    let left = || next.saturating_duration_since(Instant::now());
    match way {
        "while" => {
            *unpoisoned(WAKE.wait_timeout_while(told(), left(), |told| !*told)).0
        }
        "park" => {
            while !*told() && Instant::now() < next {
                thread::park_timeout(left());
            }
            *told()
        }
        // `notify` and `unlocked`
        _ => *unpoisoned(WAKE.wait_timeout(told(), left())).0,
    }
}

/// With `early` the stop comes here.
fn window(early: bool) {
    if early {
        WINDOW.wait();
    }
}
// ANCHOR_END: wait

fn told() -> MutexGuard<'static, bool> {
    unpoisoned(TOLD.lock())
}

/// A `bool` is never half-written: a panic under its lock does it no harm.
fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
