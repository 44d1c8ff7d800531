//! A background thread starts another one and ends; `main` returns before that one.

use std::time::Duration;
use std::{io, thread};

use tracing::info;

// ANCHOR: program
fn main() -> io::Result<()> {
    lesson_log::init();
    info!("my own work takes 0.5 s");
    thread::Builder::new().name("parent".to_owned()).spawn(start_child)?;
    thread::sleep(Duration::from_millis(500));
    info!("my own work is done");
    Ok(())
}

fn start_child() {
    match thread::Builder::new().name("child".to_owned()).spawn(work) {
        Ok(_) => info!("I have started child, and I end"),
        Err(error) => info!("cannot start child: {error}"),
    }
}

fn work() {
    info!("my work takes 2 s");
    thread::sleep(Duration::from_secs(2));
    info!("my work is done");
}
// ANCHOR_END: program
