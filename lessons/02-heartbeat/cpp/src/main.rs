//! A helper that asks a C++ library again and again, and goes on while the process ends.
#![allow(
    unsafe_code,
    reason = "the lesson calls C++, registers an exit handler, cancels a thread"
)]

use std::hint::black_box;
use std::os::unix::thread::JoinHandleExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

static ANSWERS: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    if cfg!(no_cpp) {
        return lesson_log::failure(
            "built without a C++ compiler: install g++ and touch build.rs",
        );
    }
    let way = env::args_os().nth(1);
    let result = match way.as_ref().and_then(|way| way.to_str()) {
        Some("cancel") => cancel(),
        Some("free") => run(false),
        _ => run(true),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format_args!(
            "cannot start the thread prices: {why}"
        )),
    }
}

// ANCHOR: run
fn run(is_held_open: bool) -> io::Result<()> {
    if is_held_open {
        // Registered before the library makes its table, so it is called after the table is gone.
        // SAFETY: `hold_open` neither unwinds nor calls `exit`.
        unsafe { libc::atexit(hold_open) };
    }
    info!("the rate is {}", rate(2022, 0));
    thread::Builder::new().name("prices".to_owned()).spawn(ask)?;

    thread::sleep(Duration::from_millis(500));
    info!("my own work is done");
    Ok(())
}

/// Asks the library until it is cut off.
fn ask() {
    for index in (0..20_000).cycle() {
        black_box(rate(1924 + index % 100, index));
        ANSWERS.fetch_add(1, Relaxed);
    }
}

/// Holds the end open until `prices` has asked twice more, if it could be started.
extern "C" fn hold_open() {
    let before = ANSWERS.load(Relaxed);
    while before > 0 && ANSWERS.load(Relaxed) < before + 2 {
        thread::yield_now();
    }
}
// ANCHOR_END: run

#[cfg(not(no_cpp))]
unsafe extern "C" {
    safe fn rate(year: i32, index: i32) -> f64;
}

#[cfg(no_cpp)]
fn rate(_: i32, _: i32) -> f64 {
    0.0
}

// ANCHOR: cancel
/// Ends a thread from outside, as C can.
fn cancel() -> io::Result<()> {
    let nap = || loop {
        thread::sleep(Duration::from_millis(10));
    };
    let prices = thread::Builder::new().name("prices".to_owned()).spawn(nap)?;
    thread::sleep(Duration::from_millis(100));
    // SAFETY: none. The thread is alive, but its frames are Rust's, and those may not be cancelled.
    unsafe { libc::pthread_cancel(prices.as_pthread_t()) };
    thread::sleep(Duration::from_millis(400));
    info!("prices is cancelled, and the process lives");
    Ok(())
}
// ANCHOR_END: cancel
