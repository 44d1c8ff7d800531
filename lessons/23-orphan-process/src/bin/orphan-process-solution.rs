//! Solution: SIGTERM to the sidecar's group, a wait with a limit, SIGKILL to what is left, and a wait.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, ExitStatus};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tracing::info;

/// What the sidecar gets for its last words.
const GRACE: Duration = Duration::from_millis(1500);

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        [kind @ ("polite" | "slow" | "deaf")] => serve(kind, false),
        [kind @ ("polite" | "slow" | "deaf"), "fail"] => serve(kind, true),
        _ => Err(io::Error::other("polite, slow or deaf, and fail or nothing")),
    })
}

/// Works for half a second. Whichever way it ends, the sidecar is to be gone then.
fn serve(kind: &str, fails: bool) -> io::Result<()> {
    let _sidecar = Guard::start(kind)?;
    info!("the sidecar is started; my own work takes 0.5 s");
    thread::sleep(Duration::from_millis(500));
    if fails {
        panic!("my own work has failed");
    }
    info!("my own work is done");
    Ok(())
}

// ANCHOR: solution
struct Guard(Child);

impl Guard {
    /// The sidecar starts a helper, which nobody here knows.
    fn start(kind: &str) -> io::Result<Self> {
        let mut command = sidecar::command(&[kind, "deaf-helper"])?;
        // The helper is born into the sidecar's group, and that has its own from here on.
        command.process_group(0);
        sidecar::start(command).map(Self)
    }

    fn stop(&mut self) -> io::Result<ExitStatus> {
        let group = Pid::from_raw(self.0.id().cast_signed());
        killpg(group, Signal::SIGTERM)?;
        let deadline = Instant::now() + GRACE;
        while !has_ended(group)? && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        killpg(group, Signal::SIGKILL)?;
        self.0.wait()
    }
}

/// Looks and leaves it to be waited for: until then nobody else can get its number.
fn has_ended(pid: Pid) -> nix::Result<bool> {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    Ok(waitid(Id::Pid(pid), look)? != WaitStatus::StillAlive)
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.stop() {
            Ok(status) => info!("the sidecar has ended: {status}"),
            Err(error) => info!("the sidecar may be alive: {error}"),
        }
    }
}
// ANCHOR_END: solution
