//! How often lines are lost when nobody waits for the writer: runs itself many times.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{self, Command, ExitCode};
use std::{env, mem};

use tracing_appender::non_blocking;

fn main() -> ExitCode {
    let arg =
        |place, or: &str| env::args_os().nth(place).unwrap_or_else(|| or.into());
    let first = arg(1, "100");
    let result = match first.to_str().map(str::parse::<u16>) {
        _ if first == "run" => log_and_leave(arg(2, "kept"), arg(3, "losses.log")),
        Some(Ok(runs)) => count_losses(runs),
        _ => Err(io::Error::other("that is not a number of runs")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// A run: logs ten thousand lines to a file on the real disk and leaves.
#[expect(clippy::exit, clippy::mem_forget, reason = "these two lose lines")]
fn log_and_leave(way: OsString, path: OsString) -> io::Result<()> {
    let (mut log, guard) = non_blocking(BufWriter::new(File::create(path)?));
    for number in 1..=10_000 {
        log.write_all(format!("line {number:05}\n").as_bytes())?;
    }
    match way.to_str() {
        Some("forgotten") => mem::forget(guard),
        Some("exit") => process::exit(0),
        _ => drop(guard),
    }
    Ok(())
}

fn count_losses(runs: u16) -> io::Result<()> {
    // Each copy of this program has a file of its own.
    let file = format!("losses.log.{}", process::id());
    let result = count_losses_in(file.as_ref(), runs);
    let _ = fs::remove_file(file);
    result
}

fn count_losses_in(file: &Path, runs: u16) -> io::Result<()> {
    for (way, words) in [
        ("kept", "guard kept"),
        ("forgotten", "guard forgotten"),
        ("exit", "process::exit"),
    ] {
        let mut losing = 0;
        for _ in 0..runs {
            let mut run = Command::new(env::current_exe()?);
            let status = run.args(["run", way]).arg(file).status()?;
            if !status.success() {
                return Err(io::Error::other(format!("a run failed: {status}")));
            }
            let written =
                fs::read(file)?.iter().filter(|byte| **byte == b'\n').count();
            losing += u16::from(written < 10_000);
        }
        let line = format!("{words}: lines lost in {losing} of {runs} runs");
        let _ = writeln!(io::stdout(), "{line}");
    }
    Ok(())
}
