//! Tell a thread to stop, in the middle of its pause.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::mpsc::{
    self, Receiver, RecvTimeoutError::Timeout,
};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the heartbeat: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("the service runs for 2 s");
    let (stop, told) = mpsc::channel();
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || beat(&told))?;

    thread::sleep(Duration::from_secs(2));
    // ANCHOR: stop
    drop(stop);
    if let Err(payload) = heartbeat.join() {
        resume_unwind(payload);
    }
    // ANCHOR_END: stop
    info!("the service has stopped");
    Ok(())
}

// ANCHOR: wait
fn beat(told: &Receiver<Infallible>) {
    let pause = Duration::from_millis(1500);
    while told.recv_timeout(pause) == Err(Timeout) {
        info!("beat");
    }
    info!("signed off");
}
// ANCHOR_END: wait
