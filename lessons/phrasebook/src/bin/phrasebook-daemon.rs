//! Start a thread that nobody waits for.

use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the ticker: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("my own work takes half a second");
    // ANCHOR: cell
    // The handle is dropped: nobody waits for it.
    thread::Builder::new()
        .name("ticker".to_owned())
        .spawn(tick)?;

    thread::sleep(Duration::from_millis(500));
    info!("my own work is done");
    // ANCHOR_END: cell
    Ok(())
}

/// Ticks each second and never returns.
fn tick() {
    loop {
        info!("tick");
        thread::sleep(Duration::from_secs(1));
    }
}
