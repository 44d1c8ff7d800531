//! A sidecar that ends before its parent: what is left of it until it is waited for.

#[path = "../sidecar.rs"]
mod sidecar;

use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io, thread};

use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|_| serve())
}

// ANCHOR: zombie
fn serve() -> io::Result<()> {
    let mut sidecar = sidecar::start(sidecar::command(&["0.5"])?)?;
    info!("the sidecar is started; it ends after 0.5 s");
    thread::sleep(Duration::from_millis(1250));
    info!("before the wait: {}", state(sidecar.id()));
    sidecar.wait()?;
    info!("after the wait: {}", state(sidecar.id()));
    Ok(())
}

/// What the kernel says of a process.
fn state(pid: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.unwrap_or_else(|_| "no such process".to_owned());
    let state = status.lines().find(|line| line.starts_with("State:"));
    state.unwrap_or(&status).replace('\t', " ")
}
// ANCHOR_END: zombie
