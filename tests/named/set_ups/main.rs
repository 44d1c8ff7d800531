//! The self-check and the book on machines that are set up otherwise than the one they were written
//! on: with few processes, with a full disk, beside an editor, when the terminal is closed.
//!
//! Each trial makes its set-up itself, as a user without rights where that can be; where a machine
//! cannot give it, the trial is ignored and says why.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use named::desk::Desk;

mod disk;
mod ends;
mod limits;
mod names;
mod own_book;
mod python;
mod reports;
mod tools;

/// What a trial does.
type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    // Each trial keeps both cores busy for a moment, and most of them wait.
    let arguments = Arguments::from_args();
    let threads = arguments.test_threads.or(Some(2));
    let arguments = Arguments { test_threads: threads, ..arguments };
    let modules = [
        disk::trials,
        ends::trials,
        limits::trials,
        names::trials,
        own_book::trials,
        python::trials,
        reports::trials,
        tools::trials,
    ];
    let trials: Vec<Trial> = modules.into_iter().flat_map(|trials| trials()).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A copy of the workbook; what one trial has built the others have, too.
fn desk() -> Desk {
    Desk::new(target())
}

/// Where the trials build.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("set-ups")
}

/// A trial that fails with this message where a text has not what is expected.
fn has(text: &str, expected: &str) -> Result<(), Failed> {
    if text.contains(expected) { Ok(()) } else { Err(format!("no `{expected}` in\n{text}").into()) }
}
