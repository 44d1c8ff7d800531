//! End work that will not stop: it has to be a process.

use std::io;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot run sleep: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    let limit = Duration::from_millis(500);
    info!("the conversion gets half a second");
    // ANCHOR: cell
    let mut conversion =
        Command::new("sleep").arg("60").spawn()?;

    thread::sleep(limit);
    conversion.kill()?;
    // Without this it stays behind as a zombie.
    let status = conversion.wait()?;
    info!("killed: {}", !status.success());
    // ANCHOR_END: cell
    Ok(())
}
