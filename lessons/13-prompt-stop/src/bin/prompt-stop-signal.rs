//! A signal comes while `main` sleeps, or while it waits on a channel.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::iterator::Signals;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let result = match way.to_str() {
        Some("sleep") => sleep(),
        Some("channel") => wait_on_channel(),
        _ => Err("say what main does: sleep or channel".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: sleep
fn sleep() -> Result<(), String> {
    let told = Arc::new(AtomicBool::new(false));
    flag::register(SIGTERM, Arc::clone(&told))
        .map_err(|error| format!("cannot handle SIGTERM: {error}"))?;
    info!("waiting for 5 s");
    // The handler sets the flag at once; then the sleep goes on.
    thread::sleep(Duration::from_secs(5));
    info!("told to stop: {}", told.load(Ordering::Relaxed));
    Ok(())
}
// ANCHOR_END: sleep

// ANCHOR: channel
fn wait_on_channel() -> Result<(), String> {
    let (stop, told) = mpsc::channel::<()>();
    let mut signals = Signals::new([SIGTERM])
        .map_err(|error| format!("cannot handle SIGTERM: {error}"))?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            // Blocks until a signal comes; it may be cut off when `main` returns.
            signals.forever().next();
            drop(stop);
        })
        .map_err(|error| format!("cannot start the thread signals: {error}"))?;
    info!("waiting for 5 s");
    let told = told
        .recv_timeout(Duration::from_secs(5))
        .is_err_and(|error| error == mpsc::RecvTimeoutError::Disconnected);
    info!("told to stop: {told}");
    Ok(())
}
// ANCHOR_END: channel
