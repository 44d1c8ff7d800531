//! The sidecar: each program of this lesson, started once more with `--sidecar`.

use std::fs::File;
use std::os::unix::process::parent_id;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use tracing::info;

/// The `main` of both: of the sidecar if this process is to be one, else of the service.
pub fn or(service: impl FnOnce() -> io::Result<()>) -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("--sidecar") => run(arguments.next().unwrap_or_default()),
        _ => service(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: command
/// How the sidecar is started: this program again, with its lines in `sidecar.log`.
pub fn command(until: &str) -> io::Result<Command> {
    // A sidecar of the last run may still write to the old file.
    let _ = fs::remove_file("sidecar.log");
    let log = File::create("sidecar.log").map_err(|error| {
        io::Error::other(format!("cannot write sidecar.log: {error}"))
    })?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["--sidecar", until]);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}
// ANCHOR_END: command

fn run(until: String) -> io::Result<()> {
    let thread = thread::Builder::new().name("sidecar".to_owned());
    let ships = thread.spawn(move || ship_logs(&until))?;
    ships.join().unwrap_or_else(|_| Err(io::Error::other("the sidecar panicked")))
}

// ANCHOR: ship
/// Ships logs for so many seconds, or until its standard input is closed.
fn ship_logs(until: &str) -> io::Result<()> {
    info!("the sidecar ships logs");
    let Ok(seconds) = until.parse() else {
        io::copy(&mut io::stdin(), &mut io::sink())?;
        info!("nobody holds my standard input: the sidecar ends");
        return Ok(());
    };
    let (start, parent) = (Instant::now(), parent_id());
    let mut is_orphan = false;
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        if parent_id() != parent && !is_orphan {
            info!("my parent is gone, and I go on");
            is_orphan = true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    info!("the sidecar ends");
    Ok(())
}
// ANCHOR_END: ship
