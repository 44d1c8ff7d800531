//! tokio's `Child` ends its process when it is dropped, if it is asked to.

#[path = "../sidecar.rs"]
mod sidecar;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::process::Command;
use tokio::time;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        [] => serve(&[]),
        ["helper"] => serve(&["helper"]),
        _ => Err(io::Error::other("helper or nothing")),
    })
}

// ANCHOR: tokio
#[tokio::main(flavor = "current_thread")]
async fn serve(kind: &[&str]) -> io::Result<()> {
    let mut command = Command::from(sidecar::command(kind)?);
    let mut sidecar = command.kill_on_drop(true).spawn()?;
    info!("the sidecar is started; my own work takes 1.5 s");
    time::sleep(Duration::from_millis(1500)).await;
    if let Some(status) = sidecar.try_wait()? {
        let why = format!("the sidecar has ended before me: {status}");
        return Err(io::Error::other(why));
    }
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: tokio
