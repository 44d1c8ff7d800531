//! Wait for SIGTERM.

use std::io;

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    // ANCHOR: cell
    let mut signals = Signals::new([SIGTERM])?;
    info!("waiting for SIGTERM");
    signals.forever().next();
    info!("told to stop");
    // ANCHOR_END: cell
    Ok(())
}
