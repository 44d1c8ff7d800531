//! The same service with a guard: it ends the sidecar and waits until it has ended.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        [kind @ ("polite" | "deaf")] => serve(kind, Arc::default()),
        [kind @ ("polite" | "deaf"), "handled"] => {
            let told = Arc::default();
            signal_hook::flag::register(
                signal_hook::consts::SIGTERM,
                Arc::clone(&told),
            )?;
            serve(kind, told)
        }
        [kind @ ("polite" | "deaf"), "blocked"] => {
            // As for `sigwait`. What is started from here on is born so.
            SigSet::from(Signal::SIGTERM).thread_block()?;
            serve(kind, Arc::default())
        }
        _ => {
            Err(io::Error::other("polite or deaf, and handled, blocked or nothing"))
        }
    })
}

// ANCHOR: serve
fn serve(kind: &str, told: Arc<AtomicBool>) -> io::Result<()> {
    let _sidecar = Guard::start(kind)?;
    info!("the sidecar is started; my own work takes 1.5 s");
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        if told.load(Ordering::Relaxed) {
            info!("SIGTERM: I leave my own work");
            return Ok(());
        }
        thread::sleep(STEP);
    }
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: serve

// ANCHOR: guard
/// What the sidecar gets for its last words.
const GRACE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(10);

struct Guard(Child);

impl Guard {
    fn start(kind: &str) -> io::Result<Self> {
        let mut command = sidecar::command(&[kind, "deaf-helper"])?;
        // A new group with the sidecar as its leader. What it starts is born into it.
        command.process_group(0);
        sidecar::start(command).map(Self)
    }

    /// SIGTERM, a wait with a limit, SIGKILL: each to the whole group.
    fn stop(&mut self) -> io::Result<ExitStatus> {
        let group = Pid::from_raw(self.0.id().cast_signed());
        killpg(group, Signal::SIGTERM)?;
        let deadline = Instant::now() + GRACE;
        while !has_ended(group)? && Instant::now() < deadline {
            thread::sleep(STEP);
        }
        // The sidecar if time is up, and in any case what it has left behind.
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
// ANCHOR_END: guard
