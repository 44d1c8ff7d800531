//! Ctrl-C: a terminal sends SIGINT to every process of the foreground group.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use nix::sys::signal::{SigHandler, Signal, killpg, signal};
use nix::unistd::Pid;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        ["--service", group] => serve(group),
        [group @ ("same" | "own" | "background")] => press_ctrl_c(group),
        _ => Err(io::Error::other("one of same, own, background")),
    })
}

// ANCHOR: terminal
/// As a shell and its terminal do it: a job is a process group, and Ctrl-C goes to all of it.
#[expect(unsafe_code, reason = "std has no safe way to run code in the child")]
fn press_ctrl_c(group: &str) -> io::Result<()> {
    let mut job = Command::new(env::current_exe()?);
    job.args(["--service", group]).process_group(0).stderr(Stdio::piped());
    // In a terminal a shell gives a job the default. A script's `&` has SIGINT ignored.
    let sigint = match group {
        "background" => SigHandler::SigIgn,
        _ => SigHandler::SigDfl,
    };
    // SAFETY: between `fork` and `exec` it makes one system call. It takes no lock and
    // allocates nothing.
    unsafe {
        job.pre_exec(move || Ok(signal(Signal::SIGINT, sigint).map(drop)?));
    }
    let job = job.spawn()?;
    info!("the service is started; Ctrl-C comes after 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    killpg(Pid::from_raw(job.id().cast_signed()), Signal::SIGINT)?;
    let ended = job.wait_with_output()?;
    if ended.status.code().is_some_and(|code| code != 0) {
        let why = String::from_utf8_lossy(&ended.stderr);
        return Err(io::Error::other(why.trim_end()));
    }
    info!("the service has ended: {}", ended.status);
    Ok(())
}

fn serve(group: &str) -> io::Result<()> {
    let mut command = sidecar::command(&[])?;
    if group == "own" {
        // 0 is a new group, with the sidecar as its leader.
        command.process_group(0);
    }
    sidecar::start(command)?;
    thread::sleep(Duration::from_secs(3));
    Ok(())
}
// ANCHOR_END: terminal
