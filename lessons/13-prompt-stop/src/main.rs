//! A heartbeat every 5 s that is told to stop, and stops at once.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let argument = env::args_os().nth(1).unwrap_or_else(|| "1".into());
    let argument = argument.to_string_lossy();
    let Ok(seconds) = argument.parse() else {
        return lesson_log::failure(format!("not a number of seconds: {argument}"));
    };
    match serve(seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!(
            "cannot start the thread heartbeat: {error}"
        )),
    }
}

// ANCHOR: serve
fn serve(seconds: u32) -> io::Result<()> {
    info!("the service runs; after {seconds} s it is told to stop");
    // Nothing is ever sent. That the sender is still there means: go on.
    let (stop, told) = mpsc::channel();
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || send_heartbeats(&told))?;

    thread::sleep(seconds * Duration::from_secs(1));
    info!("told to stop");
    drop(stop);
    if let Err(payload) = heartbeat.join() {
        panic::resume_unwind(payload);
    }
    info!("the service has stopped");
    Ok(())
}
// ANCHOR_END: serve

// ANCHOR: heartbeat
/// Beats at 0 s, 5 s, 10 s and so on, and signs off when it is told to stop.
fn send_heartbeats(told: &Receiver<()>) {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}");
        let next = start + beat * Duration::from_secs(5);
        let left = next.saturating_duration_since(Instant::now());
        // A pause that ends when the time is over, or when the channel is closed.
        if told.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    info!("signed off");
}
// ANCHOR_END: heartbeat
