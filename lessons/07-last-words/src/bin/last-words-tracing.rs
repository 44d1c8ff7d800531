//! An exit handler that logs through `tracing`, as any other function would.

use std::{io, panic};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    // The default hook prints a backtrace as well where a panic cannot unwind.
    panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    register_exit_handler()?;
    info!("my own work is done");
    Ok(())
}

#[expect(unsafe_code, reason = "std has no exit handlers, only C has")]
fn register_exit_handler() -> io::Result<()> {
    // SAFETY: it may run at any time, beside all other threads: what it uses is
    // synchronised. A panic in it cannot unwind into C: it would abort.
    match unsafe { libc::atexit(exit_handler) } {
        0 => Ok(()),
        _ => Err(io::Error::other("no room for an exit handler")),
    }
}

extern "C" fn exit_handler() {
    // The change: `tracing` formats in a thread-local buffer, which is gone by now.
    info!("the exit handler runs");
}
