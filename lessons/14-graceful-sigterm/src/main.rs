//! On SIGTERM the service takes nothing new, finishes what it has, and ends in time.
//!
//! The `server` accepts `orders`; each of the two has a `worker`, a thread that is waited
//! for until a deadline. `signals` say when.

mod orders;
mod server;
mod signals;
mod worker;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use signal_hook::low_level::signal_name;
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
    // First of all: before, a signal ends the process, or is lost if it is process 1.
    let mut signals = signals::listen()?;
    let mut words = env::args_os().skip(1);
    let mut word = |default: &str| words.next().unwrap_or_else(|| default.into());
    let (port, grace, path) = (word("8080"), word("8"), word("orders.txt"));
    let seconds: Option<u32> = grace.to_str().and_then(|text| text.parse().ok());
    let seconds =
        seconds.ok_or_else(|| format!("not in seconds: {}", grace.display()))?;
    let grace = Duration::from_secs(seconds.into());
    let path = PathBuf::from(path);

    // ANCHOR: start
    let listener = server::listen(&port)?;
    let file = orders::open_alone(&path)?;
    let runtime = server::runtime()?;
    // Each thread has a handle: when it ends, `signals` end, too.
    let (orders, writer) = orders::start(file, path.clone(), signals.handle())?;
    let (stop, book) = (Arc::new(Notify::new()), Arc::clone(&orders));
    let stopped = Arc::clone(&stop).notified_owned();
    let server = server::start(runtime, listener, book, signals.handle(), stopped)?;
    // ANCHOR_END: start

    // ANCHOR: stop
    let signal = signals.forever().next();
    let deadline = Instant::now() + grace;
    match signal.map(signal_name) {
        Some(name) => info!("{}: no more orders", name.unwrap_or("a signal")),
        None => info!("a thread has ended: no more orders"),
    }
    let mut undone = Vec::new();
    // 1. Nobody new comes in.
    stop.notify_one();
    // ANCHOR: inside
    // 2. Who is inside gets an answer, if it takes no longer than half of the time.
    match server.join_by(deadline - grace / 2) {
        Some(Ok(())) => info!("every request has its answer"),
        Some(Err(why)) => undone.push(why),
        None if orders.inside() == 0 => {
            info!("what still comes in is no order yet")
        }
        None => {
            let half = (grace / 2).as_secs_f64();
            undone.push(format!("{half} s are over: requests are in flight"));
        }
    }
    // ANCHOR_END: inside
    // 3. No order gets a number any more.
    orders.close();
    // 4. The writer ends when the queue is empty.
    match writer.join_by(deadline) {
        Some(written) => undone.extend(written.err()),
        None => {
            undone.push(format!("{seconds} s are over: orders are in the queue"))
        }
    }
    // 5. The process ends, and says what it leaves to others.
    undone.extend(orders.give_up());
    if undone.is_empty() {
        info!("every order is in {}", path.display());
        return Ok(());
    }
    Err(undone.join("\n"))
    // ANCHOR_END: stop
}
