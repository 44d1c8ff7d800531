//! Give jobs to a pool of two threads, and wait for all of them.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the printers: {why}"
        )),
    }
}

fn run() -> Result<(), ThreadPoolBuildError> {
    info!("four labels are to be printed");
    // ANCHOR: cell
    let pool = ThreadPoolBuilder::new()
        .num_threads(2)
        .thread_name(|n| format!("printer-{}", n + 1))
        .build()?;
    pool.in_place_scope(|scope| {
        for order in 1..=4 {
            scope.spawn(move |_| print_label(order));
        }
    });
    // ANCHOR_END: cell
    info!("every label is printed");
    Ok(())
}

fn print_label(order: u32) {
    thread::sleep(Duration::from_millis(500));
    info!("label {order} is printed");
}
