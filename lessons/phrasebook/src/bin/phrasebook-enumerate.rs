//! List the threads that are alive.

use std::sync::Barrier;
use std::{fs, io, thread};

use tracing::info;

/// The two printers and `main`.
static ALL_STARTED: Barrier = Barrier::new(3);

fn main() -> io::Result<()> {
    lesson_log::init();
    for number in 1..=2 {
        thread::Builder::new()
            .name(format!("printer-{number}"))
            .spawn(wait_for_orders)?;
    }
    // A new thread gives itself its name.
    ALL_STARTED.wait();
    info!("who is alive?");
    // ANCHOR: cell
    for task in fs::read_dir("/proc/self/task")? {
        let comm = task?.path().join("comm");
        // It may have ended meanwhile.
        let Ok(name) = fs::read(comm) else { continue };
        let name = String::from_utf8_lossy(&name);
        info!("alive: {}", name.trim_end());
    }
    // ANCHOR_END: cell
    Ok(())
}

/// Never returns.
fn wait_for_orders() {
    ALL_STARTED.wait();
    loop {
        thread::park();
    }
}
