//! A caller takes the output of a service, and a sidecar holds the pipe.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        ["--service", streams] => serve(streams),
        [way @ ("inherit" | "file" | "kill" | "group")] => call(way),
        ["again"] => call("file").and_then(|()| call("file")),
        _ => Err(io::Error::other("one of inherit, file, kill, group, again")),
    })
}

// ANCHOR: caller
/// As `$(…)` in a shell, a build step, or a test does it.
fn call(way: &str) -> io::Result<()> {
    info!("the service is called; its own work takes 1 s");
    let mut command = Command::new(env::current_exe()?);
    command.args(["--service", way]).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut service = command.spawn()?;
    if way == "kill" || way == "group" {
        thread::sleep(Duration::from_millis(500));
        info!("it takes too long: it is killed");
    }
    match way {
        "kill" => service.kill()?,
        "group" => {
            killpg(Pid::from_raw(service.id().cast_signed()), Signal::SIGKILL)?;
        }
        _ => {}
    }
    // Reads both pipes to their ends, then waits: so does `output()`.
    let output = service.wait_with_output()?;
    if output.status.code().is_some_and(|code| code != 0) {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(why.trim_end()));
    }
    info!("the service has ended: {}", output.status);
    Ok(())
}

fn serve(way: &str) -> io::Result<()> {
    let mut command = sidecar::command(&[])?;
    if way != "file" {
        // What `Command` does by itself if nothing else is said.
        command.stdout(Stdio::inherit());
    }
    sidecar::start(command)?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}
// ANCHOR_END: caller
