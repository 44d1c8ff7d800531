//! Exercise: `main` waits until nobody is in the registry, and waits for the dead.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p still-alive --bin still-alive-exercise -- labels
//! Check it:    cargo test still-alive
//!              (this file alone: cargo test exercise::still-alive)
//! Start over:  git restore lessons/18-still-alive/src/bin/still-alive-exercise.rs

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> io::Result<()> {
    lesson_log::init();
    let damaged = env::args().nth(1).unwrap_or_else(|| "labels".to_owned());
    info!("the file of the {damaged} is damaged");
    for (name, millis) in [("labels", 500), ("invoices", 1000), ("mail", 3000)] {
        let is_damaged = name == damaged;
        start(name, move || print_file(millis, is_damaged))?;
    }
    start_watchdog()?;
    wait_for_all();
    info!("nobody is left to wait for");
    Ok(())
}

/// Reads a file and prints it.
fn print_file(millis: u64, is_damaged: bool) {
    thread::sleep(Duration::from_millis(millis));
    assert!(!is_damaged, "the file is damaged");
    info!("printed");
}

static ALIVE: Mutex<Vec<&str>> = Mutex::new(Vec::new());
static ONE_HAS_ENDED: Condvar = Condvar::new();

/// Starts a thread that is in the registry for as long as it lives.
fn start(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    sign_in(name);
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || {
        work();
        sign_out(name);
    })?;
    Ok(())
}

fn sign_in(name: &'static str) {
    alive().push(name);
}

fn sign_out(name: &str) {
    alive().retain(|other| *other != name);
    ONE_HAS_ENDED.notify_all();
}

fn wait_for_all() {
    let all_have_ended =
        ONE_HAS_ENDED.wait_while(alive(), |alive| !alive.is_empty());
    drop(all_have_ended.unwrap_or_else(PoisonError::into_inner));
}

/// Says after 2 s who is awaited.
fn start_watchdog() -> io::Result<()> {
    thread::Builder::new().name("watchdog".to_owned()).spawn(|| {
        thread::sleep(Duration::from_secs(2));
        info!("still awaited: {}", alive().join(", "));
    })?;
    Ok(())
}

fn alive() -> MutexGuard<'static, Vec<&'static str>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
