//! Ctrl-C: a terminal sends SIGINT to every process of the foreground group.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, io, thread};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|| match env::args().nth(1).as_deref() {
        Some("--service") => serve(env::args().nth(2).as_deref() == Some("own")),
        Some(group @ ("same" | "own")) => press_ctrl_c(group),
        _ => Err(io::Error::other("one of same, own")),
    })
}

// ANCHOR: terminal
/// As a terminal does it: a job is a process group, and Ctrl-C goes to all of it.
fn press_ctrl_c(group: &str) -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    let mut service =
        command.args(["--service", group]).process_group(0).spawn()?;
    info!("the service is started; Ctrl-C comes after 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    killpg(Pid::from_raw(service.id().cast_signed()), Signal::SIGINT)?;
    info!("the service has ended: {}", service.wait()?);
    Ok(())
}

fn serve(own_group: bool) -> io::Result<()> {
    let mut command = sidecar::command("4")?;
    if own_group {
        // 0 is a new group, with the sidecar as its leader.
        command.process_group(0);
    }
    command.spawn()?;
    thread::sleep(Duration::from_secs(3));
    Ok(())
}
// ANCHOR_END: terminal
