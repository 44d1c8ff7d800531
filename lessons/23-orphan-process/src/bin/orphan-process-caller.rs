//! A caller takes the output of a service, and a sidecar holds the pipe.

#[path = "../sidecar.rs"]
mod sidecar;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|| match env::args().nth(1).as_deref() {
        Some("--service") => {
            serve(env::args().nth(2).as_deref() == Some("inherit"))
        }
        Some(streams @ ("inherit" | "file")) => call(streams),
        _ => Err(io::Error::other("one of inherit, file")),
    })
}

// ANCHOR: caller
/// As `$(…)` in a shell, a build step, or a test does it.
fn call(streams: &str) -> io::Result<()> {
    info!("the service is called; its own work takes 1 s");
    let service = env::current_exe()?;
    let output = Command::new(service).args(["--service", streams]).output()?;
    info!("the service has ended: {}", output.status);
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim_end(),
        ));
    }
    Ok(())
}

fn serve(inherit: bool) -> io::Result<()> {
    let mut command = sidecar::command("4")?;
    if inherit {
        // What `Command` does by itself if nothing else is said.
        command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    }
    command.spawn()?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}
// ANCHOR_END: caller
