//! Start a thread, with a name, and wait for it.

use std::io;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

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
        .spawn(|| print_label("tea"))?;

    // Python does this by itself at its end.
    if let Err(payload) = printer.join() {
        resume_unwind(payload);
    }
    // ANCHOR_END: cell
    Ok(())
}

fn print_label(order: &str) {
    thread::sleep(Duration::from_secs(1));
    info!("the label for {order} is printed");
}
