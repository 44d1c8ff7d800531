//! Wait for a thread and take what it returns.

use std::panic::resume_unwind;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    info!("how many labels are printed?");
    // ANCHOR: cell
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(print_labels)?;

    let count = printer
        .join()
        .unwrap_or_else(|panic| resume_unwind(panic));
    info!("{count} labels are printed");
    // ANCHOR_END: cell
    Ok(())
}

/// Returns how many it has printed.
fn print_labels() -> u32 {
    thread::sleep(Duration::from_secs(1));
    3
}
