//! Hand work to a thread through a queue, and close the queue.

use std::error::Error;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "the labels are not printed: {why}"
        )),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (orders, queue) = mpsc::channel();
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || print_labels(queue))
        .map_err(|why| {
            format!("cannot start the printer: {why}")
        })?;

    // ANCHOR: close
    orders.send("tea")?;
    orders.send("coffee")?;
    info!("the last order is in");
    drop(orders);
    if let Err(payload) = printer.join() {
        resume_unwind(payload);
    }
    // ANCHOR_END: close
    Ok(())
}

// ANCHOR: get
fn print_labels(queue: Receiver<&str>) {
    for order in queue {
        print_label(order);
    }
    info!("the queue is closed and empty");
}
// ANCHOR_END: get

fn print_label(order: &str) {
    thread::sleep(Duration::from_millis(500));
    info!("the label for {order} is printed");
}
