//! The same order desk, whose `main` returns at once when it is told to stop.

#[expect(dead_code, reason = "nobody asks what is in work, or waits for its end")]
#[path = "../service.rs"]
mod service;

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    let mut signals = Signals::new([SIGTERM, SIGINT])
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    let port = env::args().nth(1).or_else(|| env::var("PORT").ok());
    let listener = service::listen(port.as_deref().unwrap_or("8080"))?;
    let stop = Arc::new(Notify::new());
    let _service = service::start(listener, Arc::clone(&stop))?;

    // ANCHOR: stop
    signals.forever().next();
    info!("SIGTERM: no more orders");
    stop.notify_one();
    // The change: nobody waits for the service's threads.
    Ok(())
    // ANCHOR_END: stop
}
