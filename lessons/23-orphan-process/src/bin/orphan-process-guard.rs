//! The same service with a guard: it ends the sidecar and waits until it has ended.

#[path = "../sidecar.rs"]
mod sidecar;

use std::process::{Child, ExitCode};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    sidecar::or(serve)
}

// ANCHOR: guard
fn serve() -> io::Result<()> {
    let _sidecar = Guard(sidecar::command("4")?.spawn()?);
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    Ok(())
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Whether it has ended is what `wait` tells.
        let _ = self.0.kill();
        match self.0.wait() {
            Ok(status) => info!("the sidecar has ended: {status}"),
            Err(error) => eprintln!("the sidecar cannot be waited for: {error}"),
        }
    }
}
// ANCHOR_END: guard
