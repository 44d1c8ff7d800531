//! A helper that loops for ever: nobody joins it, so it ends when `main` returns.

use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format_args!(
            "cannot start the thread heartbeat: {why}"
        )),
    }
}

// ANCHOR: run
fn run() -> io::Result<()> {
    info!("my own work takes 3.5 s");
    // The handle is dropped at once. Nobody can join this thread: it is detached.
    thread::Builder::new().name("heartbeat".to_owned()).spawn(send_heartbeats)?;

    thread::sleep(Duration::from_millis(3500));
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: heartbeat
/// Beats at 0 s, 1 s, 2 s and so on; never returns.
fn send_heartbeats() {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}");
        // Paced against the start: the time that a beat takes does not add up.
        let next = start + beat * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
// ANCHOR_END: heartbeat
