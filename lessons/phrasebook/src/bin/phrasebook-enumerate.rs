//! List the threads that are alive.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Barrier;
use std::{fs, thread};

use tracing::info;

/// The two printers and `main`.
static ALL_STARTED: Barrier = Barrier::new(3);

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "no list of threads: {why}"
        )),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    for number in 1..=2 {
        thread::Builder::new()
            .name(format!("printer-{number}"))
            .spawn(wait_for_orders)
            .map_err(|why| format!("cannot start printer-{number}: {why}"))?;
    }
    // A new thread gives itself its name.
    ALL_STARTED.wait();
    info!("who is alive?");
    // ANCHOR: cell
    for task in fs::read_dir("/proc/self/task")? {
        let comm = task?.path().join("comm");
        // It may have ended meanwhile.
        let Ok(name) = fs::read(comm) else { continue };
        let name = String::from_utf8_lossy(&name);
        info!("alive: {}", name.trim_end());
    }
    // ANCHOR_END: cell
    Ok(())
}

/// Never returns.
fn wait_for_orders() {
    ALL_STARTED.wait();
    loop {
        thread::park();
    }
}
