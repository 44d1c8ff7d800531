//! A program that only waits for its worker looks at itself: what does the kernel call it?

use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io, panic, thread};

use tracing::info;

// ANCHOR: program
fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!("cannot look at myself: {why}")),
    }
}

fn run() -> io::Result<()> {
    let worker = thread::Builder::new().name("worker".to_owned()).spawn(look)?;
    info!("my own work is done");
    worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
}

fn look() -> io::Result<()> {
    thread::sleep(Duration::from_secs(1));
    let status = fs::read_to_string("/proc/self/status")?;
    let value =
        |key| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("?");
    let (state, threads) = (value("State:\t"), value("Threads:\t"));
    info!("the process is {state} and has {threads} threads");
    Ok(())
}
// ANCHOR_END: program
