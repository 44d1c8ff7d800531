//! A service starts a sidecar, and its `main` returns. The sidecar does not care.

mod sidecar;

use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use tracing::info;

// ANCHOR: main
fn main() -> ExitCode {
    sidecar::or(serve)
}

fn serve() -> io::Result<()> {
    let sidecar = sidecar::command("4")?.spawn()?;
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    // `Child` has no destructor: this does nothing.
    drop(sidecar);
    Ok(())
}
// ANCHOR_END: main
