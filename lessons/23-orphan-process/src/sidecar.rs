//! The sidecar: each program of this lesson, started once more with `--sidecar`.

#[path = "shipping.rs"]
mod shipping;

use std::env;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};

use shipping::{READY, ship_logs};

/// The `main` of both: of the sidecar if this process is to be one, else of the service.
pub fn or(service: impl FnOnce(&[&str]) -> io::Result<()>) -> ExitCode {
    lesson_log::init();
    let words = env::args_os().skip(1).map(|word| word.display().to_string());
    let words = words.collect::<Vec<_>>();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["--sidecar", kind @ ..] => ship_logs(kind),
        words => service(words),
    };
    result.map_or_else(lesson_log::failure, |()| ExitCode::SUCCESS)
}

// ANCHOR: command
/// How the sidecar is started: this program again, with its lines in `sidecar.log`.
pub fn command(kind: &[&str]) -> io::Result<Command> {
    let cannot_write =
        |error| io::Error::other(format!("cannot write sidecar.log: {error}"));
    let log = File::options().append(true).create(true).open("sidecar.log");
    let log = log.map_err(cannot_write)?;
    // The sidecar inherits the file and its lock, and holds both until it ends.
    if let Err(TryLockError::WouldBlock) = log.try_lock() {
        let why = "the sidecar of another run holds sidecar.log";
        return Err(io::Error::other(why));
    }
    log.set_len(0).map_err(cannot_write)?;
    let mut command = Command::new(env::current_exe()?);
    command.arg("--sidecar").args(kind);
    command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
    Ok(command)
}
// ANCHOR_END: command

/// Starts it and waits until it is ready: from then on it knows what to do on SIGTERM.
#[allow(dead_code, reason = "one program has tokio's `Command`")]
pub fn start(mut command: Command) -> io::Result<Child> {
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| {
        io::Error::other(format!("cannot start the sidecar: {error}"))
    })?;
    let mut said = String::new();
    if let Some(pipe) = child.stderr.take() {
        // What it has said until then is looked at, whatever comes.
        let _ = BufReader::new(pipe).read_line(&mut said);
    }
    if said == READY {
        return Ok(child);
    }
    // It may have ended by itself; `wait` says how.
    let _ = child.kill();
    let status = child.wait()?;
    let why = format!("the sidecar does not start: {status} {said}");
    Err(io::Error::other(why.trim_end()))
}
