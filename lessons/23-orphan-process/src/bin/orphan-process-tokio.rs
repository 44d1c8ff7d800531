//! tokio's `Child` has a destructor, if it is asked for.

#[path = "../sidecar.rs"]
mod sidecar;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::process::Command;
use tokio::time;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(serve)
}

// ANCHOR: tokio
#[tokio::main(flavor = "current_thread")]
async fn serve() -> io::Result<()> {
    let mut command = Command::from(sidecar::command("4")?);
    let _sidecar = command.kill_on_drop(true).spawn()?;
    info!("the sidecar is started; my own work takes 1.5 s");
    time::sleep(Duration::from_millis(1500)).await;
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: tokio
