//! On SIGTERM the service takes nothing new, finishes what it has, and ends in time.
//!
//! The `server` accepts `orders`; each of the two has a `worker`, a thread that is waited
//! for until a deadline. `signals` say when.

mod orders;
mod server;
mod signals;
mod worker;

use std::env;
use std::error::Error;
use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use signal_hook::low_level::signal_name;
use tokio::sync::oneshot;
use tracing::info;

use orders::Tally;

fn main() -> ExitCode {
    lesson_log::init();
    let arguments: Vec<_> = env::args().skip(1).collect();
    let argument = |n: usize, default| arguments.get(n).map_or(default, |a| &**a);
    match run(argument(0, "8080"), argument(1, "10"), argument(2, "orders.txt")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: &str, grace: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let seconds: u32 =
        grace.parse().map_err(|_| format!("not in seconds: {grace}"))?;
    let cannot_write = |error| format!("cannot write {path}: {error}");
    let listener = server::listen(port)?;
    // Not earlier: a refused start must not empty the file of a running service.
    let file = File::create(path).map_err(cannot_write)?;
    // ANCHOR: start
    // Before a thread starts, so that no accepted order meets the default.
    let mut signals = signals::listen()?;
    let (queue, writer) = orders::start(file)?;
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let server = server::start(listener, queue.clone(), stopped)?;
    // ANCHOR_END: start

    // ANCHOR: stop
    let Some(signal) = signals.forever().next() else { return Ok(()) };
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    info!("{}: no more orders", signal_name(signal).unwrap_or("a signal"));
    let tally = Arc::clone(&queue.tally);
    let late = |what| lost(&tally, format!("{seconds} s are over: {what}"));

    // 1. Nobody new comes in.
    drop(stop);
    // 2. Who is inside gets an answer.
    server.join_by(deadline).ok_or_else(|| late("requests are in flight"))??;
    info!("every request has its answer");
    // 3. The server's end of the queue went with the server. This is the last one.
    drop(queue);
    // 4. The writer ends when the queue is closed and empty.
    let drained = writer.join_by(deadline);
    let written = drained.ok_or_else(|| late("orders are in the queue"))?;
    written.map_err(|error| lost(&tally, cannot_write(error)))?;
    info!("every order is in {path}");
    // 5. The process ends.
    Ok(())
    // ANCHOR_END: stop
}

// ANCHOR: lost
/// What somebody will have to do by hand.
fn lost(tally: &Tally, mut text: String) -> String {
    let written = tally.written.load(Ordering::Relaxed);
    for order in written + 1..=tally.accepted.load(Ordering::Relaxed) {
        text += &format!("\norder {order} is accepted and not written");
    }
    text
}
// ANCHOR_END: lost
