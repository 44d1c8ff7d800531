//! The same end in order, asked for through tokio: no second signal is listened to.

#[expect(dead_code, reason = "nobody asks who is inside")]
#[path = "../orders.rs"]
mod orders;
#[path = "../server.rs"]
mod server;
#[path = "../worker.rs"]
mod worker;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use signal_hook::iterator::Signals;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// The change: it waits for each thread as long as it takes.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    let cannot_listen = |error| format!("cannot listen to signals: {error}");
    // No signal: this ends when a thread has ended.
    let mut ends = Signals::new([0; 0]).map_err(cannot_listen)?;
    let runtime = server::runtime()?;
    // ANCHOR: change
    // The change: the server's thread listens to the signal, and to the first one only.
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    drop(entered);
    let stop = async move {
        terminate.recv().await;
        info!("SIGTERM: no more orders");
    };
    // ANCHOR_END: change
    let mut words = env::args_os().skip(1);
    let mut word = |default: &str| words.next().unwrap_or_else(|| default.into());
    let (port, path) = (word("8080"), PathBuf::from(word("orders.txt")));
    let listener = server::listen(&port)?;
    let file = orders::open_alone(&path)?;
    let (orders, writer) = orders::start(file, path.clone(), ends.handle())?;
    let book = Arc::clone(&orders);
    let server = server::start(runtime, listener, book, ends.handle(), stop)?;

    ends.forever().next();
    let mut undone = Vec::new();
    // If it still runs, it was the writer that ended.
    match server.join_by(Instant::now()) {
        Some(Ok(())) => info!("every request has its answer"),
        Some(Err(why)) => undone.push(why),
        None => info!("the writer has ended: no more orders"),
    }
    orders.close();
    undone.extend(writer.join_by(Instant::now() + YEAR).and_then(Result::err));
    undone.extend(orders.give_up());
    if undone.is_empty() {
        info!("every order is in {}", path.display());
        return Ok(());
    }
    Err(undone.join("\n"))
}
