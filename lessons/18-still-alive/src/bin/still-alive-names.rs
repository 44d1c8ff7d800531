//! What the kernel makes of a thread's name.

#[path = "../kernel.rs"]
mod kernel;

use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    start().map_err(|error| format!("cannot start a thread: {error}"))?;
    let names = kernel::names();
    for name in
        names.map_err(|error| format!("the kernel does not say: {error}"))?
    {
        info!("{name}");
    }
    Ok(())
}

// ANCHOR: names
const NAMES: [Option<&str>; 4] = [
    Some("payment-export-eu"),
    Some("payment-export-us"),
    Some("a心跳守护线程"),
    None,
];
// ANCHOR_END: names

fn start() -> io::Result<()> {
    let barrier = Arc::new(Barrier::new(NAMES.len() + 1));
    for name in NAMES {
        let barrier = Arc::clone(&barrier);
        let thread = match name {
            Some(name) => thread::Builder::new().name(name.to_owned()),
            None => thread::Builder::new(),
        };
        thread.spawn(move || meet(&barrier))?;
    }
    // A thread sets its name itself, when it begins.
    barrier.wait();
    Ok(())
}

/// The second time nobody comes: the thread stays.
fn meet(barrier: &Barrier) {
    barrier.wait();
    barrier.wait();
}
