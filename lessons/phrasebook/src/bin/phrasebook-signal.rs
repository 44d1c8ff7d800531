//! Wait for SIGTERM.

use std::io;
use std::process::ExitCode;

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot catch SIGTERM: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    // ANCHOR: cell
    let mut signals = Signals::new([SIGTERM])?;
    info!("waiting for SIGTERM");
    signals.forever().next();
    info!("told to stop");
    // ANCHOR_END: cell
    Ok(())
}
