//! A helper that waits for a line on stdin, which never comes.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

fn main() -> ExitCode {
    let result = match env::args_os().nth(1) {
        Some(_) => read_commands(),
        None => with_a_silent_stdin(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format_args!("cannot read commands: {why}"))
        }
    }
}

// ANCHOR: read
fn read_commands() -> io::Result<()> {
    lesson_log::init();
    thread::Builder::new().name("console".to_owned()).spawn(|| {
        let line = io::stdin().lines().next();
        info!("a command: {line:?}");
    })?;
    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: read

/// Runs this program once more, with a stdin on which nobody types and which nobody closes.
fn with_a_silent_stdin() -> io::Result<()> {
    let program = env::current_exe()?;
    let mut reader =
        Command::new(program).arg("read").stdin(Stdio::piped()).spawn()?;
    let silent = reader.stdin.take();
    let status = reader.wait()?;
    drop(silent);
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}
