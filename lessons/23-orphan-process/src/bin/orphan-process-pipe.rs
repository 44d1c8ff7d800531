//! The sidecar ends when its parent does: the kernel closes the pipe between them.

#[path = "../sidecar.rs"]
mod sidecar;

use std::process::{ExitCode, Stdio};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    sidecar::or(serve)
}

// ANCHOR: pipe
fn serve() -> io::Result<()> {
    // Held, never written to. It is closed when this process ends, however it ends.
    let mut sidecar = sidecar::command("eof")?.stdin(Stdio::piped()).spawn()?;
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    if sidecar.try_wait()?.is_none() {
        info!("my own work is done, and the sidecar is alive");
    }
    Ok(())
}
// ANCHOR_END: pipe
