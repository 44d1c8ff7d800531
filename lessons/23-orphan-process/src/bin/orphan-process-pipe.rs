//! The sidecar ends when its parent does: the kernel closes the pipe between them.

#[path = "../sidecar.rs"]
mod sidecar;

use std::io::Write;
use std::process::{Child, ExitCode, Stdio};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    sidecar::or(|words| match words {
        [] => serve(start(&["reader"])?),
        [helper @ ("helper" | "reading-helper")] => {
            serve(start(&["reader", helper])?)
        }
        ["drop"] => drop_it(start(&["reader"])?),
        ["wait"] => wait(start(&["reader"])?),
        ["taken"] => wait_with_the_pipe(start(&["reader"])?),
        ["finish"] => hand_over(start(&["reader"])?, false),
        ["kill"] => hand_over(start(&["reader"])?, true),
        _ => Err(io::Error::other(
            "helper, reading-helper, drop, wait, taken, finish, kill, or nothing",
        )),
    })
}

// ANCHOR: pipe
fn start(kind: &[&str]) -> io::Result<Child> {
    let mut command = sidecar::command(kind)?;
    command.stdin(Stdio::piped());
    sidecar::start(command)
}

fn serve(mut sidecar: Child) -> io::Result<()> {
    // It holds the pipe, which is never written to and closed when this process ends.
    info!("the sidecar is started; my own work takes 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    if sidecar.try_wait()?.is_none() {
        info!("my own work is done, and the sidecar is alive");
    }
    Ok(())
}
// ANCHOR_END: pipe

// ANCHOR: close
fn drop_it(sidecar: Child) -> io::Result<()> {
    info!("the sidecar is started; I drop its `Child` and go on for 1.5 s");
    // Closes the pipe, and waits for nothing.
    drop(sidecar);
    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    Ok(())
}

fn wait(mut sidecar: Child) -> io::Result<()> {
    info!("the sidecar is started; I wait for it");
    // Closes the pipe first.
    info!("it has ended: {}", sidecar.wait()?);
    Ok(())
}

fn wait_with_the_pipe(mut sidecar: Child) -> io::Result<()> {
    info!("the sidecar is started; I take its pipe and wait for it");
    let _pipe = sidecar.stdin.take();
    // Waits for a sidecar that waits for this process to let go of the pipe.
    info!("it has ended: {}", sidecar.wait()?);
    Ok(())
}
// ANCHOR_END: close

// ANCHOR: finish
/// The sidecar takes 0.4 s for a line.
fn hand_over(mut sidecar: Child, kills: bool) -> io::Result<()> {
    let pipe = sidecar.stdin.as_mut();
    let written = pipe.map_or(Ok(()), |pipe| pipe.write_all(b"1\n2\n3\n"));
    info!("three lines are in the pipe");
    if kills {
        // Takes along what is in the pipe.
        sidecar.kill()?;
    }
    info!("it has ended: {}", sidecar.wait()?);
    written
}
// ANCHOR_END: finish
