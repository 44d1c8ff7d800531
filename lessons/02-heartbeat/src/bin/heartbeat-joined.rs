//! The same helper, and `main` joins it: the program never ends.

use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{io, panic, thread};

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

fn run() -> io::Result<()> {
    info!("my own work takes 3.5 s");
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(send_heartbeats)?;

    thread::sleep(Duration::from_millis(3500));
    info!("my own work is done");
    // ANCHOR: change
    // The change: `main` waits for a thread that never returns.
    match heartbeat.join() {
        Ok(()) => Ok(()),
        Err(payload) => panic::resume_unwind(payload),
    }
    // ANCHOR_END: change
}

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
