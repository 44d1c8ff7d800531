//! A value of its own for each thread.

use std::cell::Cell;
use std::process::ExitCode;
use std::{io, thread};

use tracing::info;

// ANCHOR: cell
thread_local! {
    static PRINTED: Cell<u32> = const { Cell::new(0) };
}

fn print_labels(count: u32) {
    for _ in 0..count {
        PRINTED.set(PRINTED.get() + 1);
    }
    info!("{} labels are printed", PRINTED.get());
}
// ANCHOR_END: cell

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the printers: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("two printers start");
    thread::scope(|scope| {
        for number in 1..=2 {
            thread::Builder::new()
                .name(format!("printer-{number}"))
                .spawn_scoped(scope, move || {
                    print_labels(number + 1)
                })?;
        }
        io::Result::Ok(())
    })
}
