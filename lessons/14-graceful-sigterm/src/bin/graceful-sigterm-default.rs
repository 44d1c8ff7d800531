//! The same service without a handler: SIGTERM ends it wherever its threads are.

#[expect(dead_code, reason = "nobody closes the book of orders")]
#[path = "../orders.rs"]
mod orders;
#[path = "../server.rs"]
mod server;
#[path = "../worker.rs"]
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, future};

use signal_hook::iterator::Signals;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    // ANCHOR: change
    // The change: no signal has a handler. This ends when a thread has ended.
    let signals = Signals::new([0; 0]);
    // ANCHOR_END: change
    let mut signals =
        signals.map_err(|error| format!("cannot watch threads: {error}"))?;
    let mut words = env::args_os().skip(1);
    let mut word = |default: &str| words.next().unwrap_or_else(|| default.into());
    let (port, path) = (word("8080"), PathBuf::from(word("orders.txt")));
    let listener = server::listen(&port)?;
    let file = orders::open_alone(&path)?;
    let runtime = server::runtime()?;
    let (orders, writer) = orders::start(file, path, signals.handle())?;
    // Nothing ever stops the server.
    let stop = future::pending();
    let server = server::start(runtime, listener, orders, signals.handle(), stop)?;

    signals.forever().next();
    let mut threads = [writer, server].into_iter();
    let ended = threads.find_map(|thread| thread.join_by(Instant::now()));
    ended.unwrap_or_else(|| Err("a thread has ended".to_owned()))
}
