//! The same heartbeat sleeps between two beats: it hears of the stop when it wakes up.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

fn serve(seconds: u32) -> io::Result<()> {
    info!("the service runs; after {seconds} s it is told to stop");
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let heartbeat = thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || send_heartbeats(&told))?;

    thread::sleep(seconds * Duration::from_secs(1));
    info!("told to stop");
    stop.store(true, Ordering::Relaxed);
    if let Err(payload) = heartbeat.join() {
        panic::resume_unwind(payload);
    }
    info!("the service has stopped");
    Ok(())
}

/// Beats at 0 s, 5 s, 10 s and so on, and signs off when it is told to stop.
fn send_heartbeats(told: &AtomicBool) {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}");
        let next = start + beat * Duration::from_secs(5);
        // ANCHOR: change
        // The change: nothing wakes a sleep.
        thread::sleep(next.saturating_duration_since(Instant::now()));
        if told.load(Ordering::Relaxed) {
            break;
        }
        // ANCHOR_END: change
    }
    info!("signed off");
}
