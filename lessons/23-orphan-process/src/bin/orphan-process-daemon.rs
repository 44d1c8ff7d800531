//! A daemon process: started on purpose so that it belongs to nobody.

#[path = "../sidecar.rs"]
mod sidecar;

use std::io;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use nix::unistd::{Pid, getsid, setsid};
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|_| start())
}

// ANCHOR: daemon
#[expect(unsafe_code, reason = "std has no safe way to run code in the child")]
fn start() -> io::Result<()> {
    let mut command = sidecar::command(&[])?;
    // SAFETY: between `fork` and `exec` it makes one system call. It takes no lock and
    // allocates nothing.
    unsafe {
        // A session of its own: no terminal, and in no job of a shell.
        command.pre_exec(|| setsid().map(drop).map_err(io::Error::from));
    }
    let daemon = Pid::from_raw(sidecar::start(command)?.id().cast_signed());
    if getsid(Some(daemon))? == daemon {
        info!("the daemon is started, in a session of its own");
    }
    Ok(())
}
// ANCHOR_END: daemon
