//! An exam for a service in any language: trials at the end of its process, each with a verdict, the lesson
//! that teaches its point, and a picture of the run.
//!
//! The service keeps the contract of the book's last lesson: a small HTTP service that takes orders. A
//! [`trial`] says what is done to it and when it passes; [`trials`] has all of them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

pub mod outcome;
pub mod trial;
pub mod trials;

pub use outcome::{Outcome, Report, Told, Verdict};

use crate::trace::{self, Environment};

/// The exit code where no exam could be held.
const CANNOT_BE_HELD: u8 = 2;

/// What to examine, and what to make of it.
#[derive(Args, Debug)]
#[command(override_usage = "exam [OPTIONS] -- COMMAND…\n       exam --list")]
pub struct Arguments {
    /// Name the trials, each with its rule
    #[arg(long, conflicts_with = "command")]
    list: bool,
    /// Hold this trial alone; may be given several times
    #[arg(long, value_name = "TRIAL")]
    only: Vec<String>,
    /// Have chance fall as it did in another exam
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write a page to look at in a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the outcomes for other programs to read
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The service and its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "list")]
    command: Vec<OsString>,
}

/// Holds an exam as the arguments say. The exit code is 0 if all that could be tried passed, 1 if a trial
/// failed, 2 if the exam could not be held.
pub fn exam(arguments: Arguments, environment: Environment) -> ExitCode {
    let _ = (arguments, environment);
    ExitCode::from(CANNOT_BE_HELD)
}

/// Says in one line what is wrong with arguments that make no [`Arguments`], or gives the help that was asked
/// for.
pub fn refused(error: &clap::Error) -> ExitCode {
    trace::told_why(error, "exam", CANNOT_BE_HELD)
}

/// Holds the trials of these names, or all of them where there are none, and tells of each as it begins and
/// is over. Whoever calls this has asked [`workbook::run::inside`] first thing in `main`.
///
/// # Errors
///
/// Why the exam cannot be held, in one line.
pub fn hold(
    command: &[OsString],
    only: &[String],
    seed: u64,
    told: &mut dyn FnMut(&Told<'_>),
) -> Result<Report, String> {
    let _ = (command, only, seed, told);
    Err("the exam cannot be held yet".to_owned())
}
