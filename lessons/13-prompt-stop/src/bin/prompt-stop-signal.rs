//! A signal comes while `main` sleeps, or while it waits on a channel.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io, thread};

use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::iterator::Signals;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let result = match env::args().nth(1).as_deref() {
        Some("sleep") => sleep(),
        Some("channel") => wait_on_channel(),
        _ => Err(io::Error::other("say what main does: sleep or channel")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: sleep
fn sleep() -> io::Result<()> {
    let told = Arc::new(AtomicBool::new(false));
    flag::register(SIGTERM, Arc::clone(&told))?;
    info!("waiting for 5 s");
    // The handler sets the flag at once; then the sleep goes on.
    thread::sleep(Duration::from_secs(5));
    info!("told to stop: {}", told.load(Ordering::Relaxed));
    Ok(())
}
// ANCHOR_END: sleep

// ANCHOR: channel
fn wait_on_channel() -> io::Result<()> {
    let (stop, told) = mpsc::channel::<()>();
    let mut signals = Signals::new([SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        // Blocks until a signal comes; it may be cut off when `main` returns.
        signals.forever().next();
        drop(stop);
    })?;
    info!("waiting for 5 s");
    let told = told
        .recv_timeout(Duration::from_secs(5))
        .is_err_and(|error| error == mpsc::RecvTimeoutError::Disconnected);
    info!("told to stop: {told}");
    Ok(())
}
// ANCHOR_END: channel
