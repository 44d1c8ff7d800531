//! Start a thread, with a name, and wait for it.

use std::io;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    info!("a label is to be printed");
    // ANCHOR: cell
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(|| print_label("tea"))?;

    // Python does this by itself at its end.
    printer
        .join()
        .unwrap_or_else(|panic| resume_unwind(panic));
    // ANCHOR_END: cell
    Ok(())
}

fn print_label(order: &str) {
    thread::sleep(Duration::from_secs(1));
    info!("the label for {order} is printed");
}
