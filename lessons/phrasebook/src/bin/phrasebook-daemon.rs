//! Start a thread that nobody waits for.

use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
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
