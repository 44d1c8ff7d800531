//! What the kernel makes of a thread's name.

#[path = "../kernel.rs"]
mod kernel;

use std::sync::{Arc, Barrier};
use std::{io, thread};

use tracing::info;

#[expect(
    clippy::disallowed_methods,
    reason = "what a thread without a name is called is part of the answer"
)]
fn main() -> io::Result<()> {
    lesson_log::init();
    // ANCHOR: names
    let names = ["payment-export-eu", "payment-export-us", "a心跳守护线程"];
    let barrier = Arc::new(Barrier::new(names.len() + 2));
    for name in names {
        let barrier = Arc::clone(&barrier);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || meet(&barrier))?;
    }
    // A thread without a name.
    let last = Arc::clone(&barrier);
    thread::spawn(move || meet(&last));
    // A thread sets its name itself, when it begins.
    barrier.wait();
    // ANCHOR_END: names
    for name in kernel::names()? {
        info!("{name}");
    }
    Ok(())
}

/// The second time nobody comes: the thread stays.
fn meet(barrier: &Barrier) {
    barrier.wait();
    barrier.wait();
}
