//! A background thread starts another one and ends; `main` returns before that one.

use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

// ANCHOR: program
fn main() -> ExitCode {
    lesson_log::init();
    info!("my own work takes 0.5 s");
    let parent =
        thread::Builder::new().name("parent".to_owned()).spawn(start_child);
    thread::sleep(Duration::from_millis(500));
    let started = parent.and_then(|parent| parent.join().unwrap_or(Ok(())));
    if let Err(why) = started {
        return lesson_log::failure(format!("a thread cannot be started: {why}"));
    }
    info!("my own work is done");
    ExitCode::SUCCESS
}

/// Joins nobody: what it has started goes on when it ends.
fn start_child() -> io::Result<()> {
    thread::Builder::new().name("child".to_owned()).spawn(work)?;
    info!("I have started child, and I end");
    Ok(())
}

fn work() {
    info!("my work takes 2 s");
    thread::sleep(Duration::from_secs(2));
    info!("my work is done");
}
// ANCHOR_END: program
