//! Exercise: a guard is to end a sidecar, and all that the sidecar has started.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p orphan-process --bin orphan-process-exercise -- polite
//! Check it:    cargo test orphan-process
//!              (this file alone: cargo test exercise::orphan-process)
//! Start over:  git restore lessons/23-orphan-process/src/bin/orphan-process-exercise.rs

#[path = "../sidecar.rs"]
mod sidecar;

use std::process::{Child, ExitCode};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

/// What the sidecar gets for its last words.
#[allow(dead_code, reason = "nobody has given it any time yet")]
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

struct Guard(Child);

impl Guard {
    /// The sidecar starts a helper, which nobody here knows.
    fn start(kind: &str) -> io::Result<Self> {
        let command = sidecar::command(&[kind, "deaf-helper"])?;
        sidecar::start(command).map(Self)
    }

    fn stop(&mut self) -> io::Result<()> {
        self.0.kill()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.stop() {
            Ok(()) => info!("the sidecar is killed"),
            Err(error) => info!("the sidecar may be alive: {error}"),
        }
    }
}
