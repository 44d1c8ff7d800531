//! Linux ends the sidecar with its parent. The parent is a thread.

#[path = "../sidecar.rs"]
mod sidecar;

use std::os::unix::process::{CommandExt, parent_id};
use std::process::{self, Child, ExitCode};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use tokio::task::spawn_blocking;
use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        ["main"] => serve(start_sidecar(&[])?),
        ["main", "helper"] => serve(start_sidecar(&["helper"])?),
        ["thread"] => serve(start_in_a_thread()?),
        ["pool"] => serve_with_a_pool(),
        _ => Err(io::Error::other("one of main, main helper, thread, pool")),
    })
}

fn serve(mut sidecar: Child) -> io::Result<()> {
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    match sidecar.try_wait()? {
        None => info!("my own work is done, and the sidecar is alive"),
        Some(status) => info!("the sidecar has ended before me: {status}"),
    }
    Ok(())
}

// ANCHOR: pdeathsig
#[expect(unsafe_code, reason = "std has no safe way to run code in the child")]
fn start_sidecar(kind: &[&str]) -> io::Result<Child> {
    let service = process::id();
    let mut command = sidecar::command(kind)?;
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
    sidecar::start(command)
}
// ANCHOR_END: pdeathsig

// ANCHOR: thread
fn start_in_a_thread() -> io::Result<Child> {
    info!("a thread starts the sidecar");
    let starter = thread::Builder::new().name("starter".to_owned());
    let starter = starter.spawn(|| {
        let sidecar = start_sidecar(&[]);
        thread::sleep(Duration::from_millis(500));
        // Here the thread ends, and to the kernel it is the sidecar's parent.
        sidecar
    });
    let starter = starter.map_err(|error| {
        io::Error::other(format!("cannot start the thread starter: {error}"))
    })?;
    starter.join().unwrap_or_else(|_| Err(io::Error::other("the starter panicked")))
}

#[tokio::main(flavor = "current_thread")]
async fn serve_with_a_pool() -> io::Result<()> {
    info!("a thread of tokio's pool starts a sidecar that needs 12 s");
    let start = Instant::now();
    let mut sidecar = spawn_blocking(|| start_sidecar(&["12"]))
        .await
        .map_err(io::Error::other)??;
    let status = sidecar.wait()?;
    info!("it has ended after {:.1} s: {status}", start.elapsed().as_secs_f64());
    Ok(())
}
// ANCHOR_END: thread
