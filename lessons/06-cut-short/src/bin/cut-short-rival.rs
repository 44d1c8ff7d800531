//! Starts three exports under the kernel's lock: one too many, and one after a kill.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> io::Result<()> {
    let exporter = env::current_exe()?.with_file_name("cut-short-locked");
    // ANCHOR: rivals
    let mut first = start(&exporter)?;
    first_line(&mut first)?;
    info!("the first export is at work");

    let second = start(&exporter)?.wait_with_output()?;
    let complaint = String::from_utf8_lossy(&second.stderr);
    info!("the second: {}, {}", second.status, complaint.trim_end());

    // SIGKILL: not even `main`'s destructors run.
    first.kill()?;
    info!("the first: {}", first.wait()?);

    let third = start(&exporter)?.wait_with_output()?;
    info!("the third: {}", third.status);
    // ANCHOR_END: rivals
    Ok(())
}

fn start(exporter: &Path) -> io::Result<Child> {
    let mut command = Command::new(exporter);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
        let name = exporter.display();
        io::Error::other(format!(
            "{name}: {error}; `cargo build -p cut-short` makes it"
        ))
    })
}

/// Waits until the program says something; by then it has the lock.
fn first_line(child: &mut Child) -> io::Result<()> {
    let output = child.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
    match BufReader::new(output).read_line(&mut String::new())? {
        0 => Err(io::Error::other("the first export has not begun")),
        _ => Ok(()),
    }
}
