//! Wait for a thread and take what it returns.

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the printer: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("how many labels are printed?");
    // ANCHOR: cell
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(print_labels)?;

    match printer.join() {
        Ok(count) => {
            info!("{count} labels are printed")
        }
        Err(payload) => resume_unwind(payload),
    }
    // ANCHOR_END: cell
    Ok(())
}

/// Returns how many it has printed.
fn print_labels() -> u32 {
    thread::sleep(Duration::from_secs(1));
    3
}
