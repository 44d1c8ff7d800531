//! A helper that sends samples to `main`, and an end that takes the other side of the channel away.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format_args!(
            "cannot start the thread probe: {why}"
        )),
    }
}

// ANCHOR: run
fn run() -> io::Result<()> {
    let _slow = TakesAMoment;
    let (samples, inbox) = mpsc::channel();
    thread::Builder::new().name("probe".to_owned()).spawn(move || {
        for sample in 1.. {
            samples.send(sample).expect("somebody takes the samples");
            thread::sleep(Duration::from_millis(200));
        }
    })?;
    thread::sleep(Duration::from_millis(900));
    info!("my own work is done: {} samples", inbox.try_iter().count());
    // Here `inbox` is dropped, then `_slow`.
    Ok(())
}
// ANCHOR_END: run

/// What the end does besides.
struct TakesAMoment;

impl Drop for TakesAMoment {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(500));
    }
}
