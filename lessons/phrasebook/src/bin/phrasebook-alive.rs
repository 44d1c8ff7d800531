//! Ask whether a thread has ended, without a wait.

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
    info!("a label is to be printed");
    // ANCHOR: cell
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(print_label)?;

    while !printer.is_finished() {
        info!("not yet");
        thread::sleep(Duration::from_secs(1));
    }
    // Only this tells how it ended.
    match printer.join() {
        Ok(()) => info!("the label is printed"),
        Err(_payload) => info!("the printer panicked"),
    }
    // ANCHOR_END: cell
    Ok(())
}

/// Breaks down after a second and a half.
fn print_label() {
    thread::sleep(Duration::from_millis(1500));
    panic!("the paper is jammed");
}
