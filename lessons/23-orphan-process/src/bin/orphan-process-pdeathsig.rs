//! Linux ends the sidecar with its parent. The parent is a thread.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::{CommandExt, parent_id};
use std::process::{self, Child, ExitCode};
use std::time::Duration;
use std::{env, io, thread};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|| match env::args().nth(1).as_deref() {
        Some("main") => serve(start_sidecar()?),
        Some("thread") => serve(start_in_a_thread()?),
        _ => Err(io::Error::other("one of main, thread")),
    })
}

fn serve(mut sidecar: Child) -> io::Result<()> {
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    match sidecar.try_wait()? {
        None => info!("the sidecar is alive"),
        Some(status) => info!("the sidecar has ended before me: {status}"),
    }
    Ok(())
}

// ANCHOR: pdeathsig
#[expect(unsafe_code, reason = "std has no safe way to run code in the child")]
fn start_sidecar() -> io::Result<Child> {
    let service = process::id();
    let mut command = sidecar::command("4")?;
    // SAFETY: between `fork` and `exec` it makes two system calls. It takes no lock and
    // allocates nothing.
    unsafe {
        command.pre_exec(move || {
            set_pdeathsig(Signal::SIGKILL)?;
            // The service may have ended before the line above; then no signal comes.
            if parent_id() == service {
                Ok(())
            } else {
                Err(io::ErrorKind::NotConnected.into())
            }
        });
    }
    command.spawn()
}

fn start_in_a_thread() -> io::Result<Child> {
    info!("a thread starts the sidecar");
    let starter =
        thread::Builder::new().name("starter".to_owned()).spawn(|| {
            let sidecar = start_sidecar();
            thread::sleep(Duration::from_millis(500));
            // Here the thread ends, and to the kernel it is the sidecar's parent.
            sidecar
        })?;
    starter.join().unwrap_or_else(|_| Err(io::Error::other("the starter panicked")))
}
// ANCHOR_END: pdeathsig
