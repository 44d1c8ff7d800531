//! A service starts a sidecar, and its `main` returns. The sidecar does not care.

mod sidecar;

use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

// ANCHOR: main
fn main() -> ExitCode {
    sidecar::or(|_| serve())
}

fn serve() -> io::Result<()> {
    // Spawns it, and waits until it says that it is ready.
    let sidecar = sidecar::start(sidecar::command(&[])?)?;
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    // Would close its pipes, if it had any. It ends nothing and waits for nothing.
    drop(sidecar);
    Ok(())
}
// ANCHOR_END: main
