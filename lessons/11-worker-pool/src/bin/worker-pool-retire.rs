//! A worker that is joined under the lock that it still needs.

use std::env;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

static WORKERS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

fn main() -> ExitCode {
    lesson_log::init();
    match print_label() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn print_label() -> Result<(), String> {
    info!("a label is to be printed");
    let printer = thread::Builder::new().name("printer".to_owned());
    let printer = printer
        .spawn(printer_loop)
        .map_err(|why| format!("cannot start printer: {why}"))?;
    WORKERS.lock().unwrap_or_else(PoisonError::into_inner).push(printer);
    if env::args_os().nth(1).is_some_and(|word| word == "mended") {
        mended();
    } else {
        join_all();
    }
    info!("every worker has ended");
    Ok(())
}

// ANCHOR: join
fn join_all() {
    while let Some(worker) =
        WORKERS.lock().unwrap_or_else(PoisonError::into_inner).pop()
    {
        let _ = worker.join();
    }
}
// ANCHOR_END: join

// ANCHOR: mended
fn mended() {
    loop {
        // The guard ends with this statement, and the join comes after it.
        let worker = WORKERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(worker) = worker else { return };
        let _ = worker.join();
    }
}
// ANCHOR_END: mended

/// Prints one label, then asks how many colleagues it has.
fn printer_loop() {
    thread::sleep(Duration::from_secs(1));
    info!("the label is printed");
    let others = WORKERS.lock().unwrap_or_else(PoisonError::into_inner).len();
    info!("{others} workers are left");
}
