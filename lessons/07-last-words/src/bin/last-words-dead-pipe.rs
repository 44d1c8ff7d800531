//! What becomes of a program when nobody reads its output any more.
//!
//! It starts itself once for each way to print, with both outputs on a pipe whose reading
//! end is closed, and logs how each of these children ended.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use tracing::info;

const WAYS: [&str; 6] =
    ["println!", "writeln!", "tracing", "log", "handler", "drop"];

fn main() -> ExitCode {
    let arg = env::args_os().nth(1).unwrap_or_else(|| "all".into());
    if let Some(way) = WAYS.into_iter().find(|way| arg == *way) {
        return print_in(way);
    }
    if arg != "all" && arg != "full" {
        let (arg, ways) = (arg.display(), WAYS.join(", "));
        let why = format!("unknown way `{arg}`; choose from all, full, {ways}");
        return lesson_log::failure(why);
    }
    lesson_log::init();
    for way in WAYS {
        match run(way, arg == "full") {
            Ok(status) => info!("{way:<8}  {}", in_words(status)),
            Err(why) => {
                return lesson_log::failure(format!("cannot run {way}: {why}"));
            }
        }
    }
    ExitCode::SUCCESS
}

// ANCHOR: start
/// Runs this program once more, with both outputs on a pipe that nobody reads.
fn run(way: &str, full: bool) -> io::Result<ExitStatus> {
    let mut child = Command::new(env::current_exe()?);
    child.arg(way);
    if full {
        // Or on a full disk: each write fails there with ENOSPC.
        let disk = File::options().write(true).open("/dev/full")?;
        child.stdout(disk.try_clone()?).stderr(disk);
    } else {
        let (reader, writer) = io::pipe()?;
        // As `| head -1` does, but at once: from now on each write fails with EPIPE.
        drop(reader);
        child.stdout(writer.try_clone()?).stderr(writer);
    }
    child.stdin(Stdio::null()).status()
}
// ANCHOR_END: start

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

// ANCHOR: ways
/// A line in one of six ways. Whoever comes through ends with 0.
fn print_in(way: &str) -> ExitCode {
    match way {
        "println!" => println!("the last line"),
        // The result says that nobody got the line. Here nothing depends on it.
        "writeln!" => drop(writeln!(io::stdout(), "the last line")),
        // With its own defaults `tracing` tells a failed write by `eprintln!`.
        "tracing" => {
            tracing_subscriber::fmt().init();
            info!("the last line");
        }
        // As all lessons log: with `log_internal_errors(false)`.
        "log" => {
            lesson_log::init();
            info!("the last line");
        }
        "handler" => register_exit_handler(),
        _ => {
            let _guard = LastLine;
            panic!("a first panic, while the guard is alive");
        }
    }
    ExitCode::SUCCESS
}

struct LastLine;

impl Drop for LastLine {
    fn drop(&mut self) {
        // The second panic, while the first one unwinds.
        eprintln!("the last line");
    }
}

extern "C" fn exit_handler() {
    // A panic that cannot leave: C does not unwind.
    eprintln!("the last line");
}
// ANCHOR_END: ways

#[expect(unsafe_code, reason = "std has no exit handlers, only C has")]
fn register_exit_handler() {
    // SAFETY: it may run at any time, beside all other threads; it uses only stderr.
    unsafe { libc::atexit(exit_handler) };
}
