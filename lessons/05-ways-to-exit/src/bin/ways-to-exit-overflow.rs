//! A worker overflows its stack, and `main` would have caught a panic.

use std::hint::black_box;
use std::process::ExitCode;
use std::thread;

use tracing::info;

// ANCHOR: program
fn main() -> ExitCode {
    lesson_log::init();
    info!("I wait for the worker");
    // What std gives a thread by itself, whatever RUST_MIN_STACK says.
    let worker =
        thread::Builder::new().name("worker".to_owned()).stack_size(2 << 20);
    match worker.spawn(|| depth(1)).map(thread::JoinHandle::join) {
        Ok(Ok(_)) => info!("it has returned"),
        Ok(Err(_)) => info!("it has panicked, and I live on"),
        Err(error) => {
            let why = format!("cannot start the thread worker: {error}");
            return lesson_log::failure(why);
        }
    }
    ExitCode::SUCCESS
}

/// Half a kilobyte of stack a level, and no end to the levels.
fn depth(level: u64) -> u64 {
    let frame = black_box([level; 64]);
    if level == u64::MAX { frame[0] } else { frame[0].max(depth(level + 1)) }
}
// ANCHOR_END: program
