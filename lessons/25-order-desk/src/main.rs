//! An order desk whose `main` returns when the last order has its answer.

mod service;

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;
use tracing::info;

const GRACE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(left) => lesson_log::failure(format!("unfinished: {left}")),
        Err(why) => lesson_log::failure(why),
    }
}

/// How many orders are in work at the end.
fn run() -> Result<usize, String> {
    let mut signals = Signals::new([SIGTERM, SIGINT])
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    let port = env::args().nth(1).or_else(|| env::var("PORT").ok());
    let listener = service::listen(port.as_deref().unwrap_or("8080"))?;
    let stop = Arc::new(Notify::new());
    let service = service::start(listener, Arc::clone(&stop))?;

    // ANCHOR: stop
    signals.forever().next();
    info!("SIGTERM: no more orders");
    stop.notify_one();
    // Its threads end when the last answer is sent.
    let _ = service.ended.recv_timeout(GRACE);
    Ok(service.in_work.load(Ordering::Relaxed))
    // ANCHOR_END: stop
}
