//! An exam for a service in any language: trials at the end of its process, each with a verdict, the lesson
//! that teaches its point, and a picture of the run.
//!
//! The service keeps the contract of the book's last lesson: a small HTTP service that takes orders. A
//! [`trial`] says what is done to it and when it passes; [`trials`] has all of them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;

use clap::Args;
use rustix::process::{getpid, set_child_subreaper};
use workbook::run::{all_is_over, end_runs_with_this_process, end_with_this_process, room};

mod bench;
mod client;
mod course;
mod listener;
mod load;
pub mod outcome;
mod page;
mod ports;
mod prints;
mod processes;
mod report;
mod service;
mod stop;
mod supplier;
pub mod trial;
pub mod trials;
mod words;

pub use course::{Asked, Seen};
pub use outcome::{Outcome, Report, Told, Verdict};
pub use prints::Line;
pub use report::screen;

use self::bench::{Bench, Candidate};
use self::stop::Stop;
use self::trial::Trial;
use crate::report::words::plain;
use crate::report::{writable, write};
use crate::trace::{self, Environment};

/// The exit code where a trial has failed.
const FAILED: u8 = 1;
/// The exit code where no exam could be held.
const CANNOT_BE_HELD: u8 = 2;

/// Of what the service printed, so many lines are told of a trial.
const MOST_LINES: usize = 8;

/// What stands below the options.
const MORE: &str = "\
The service reads PORT (to listen on at 127.0.0.1), DATA (a directory of its own), GRACE (seconds) and
SUPPLIER (an address, or nothing) from its environment. Its contract: the chapter 25-order-desk of the book
\"When main Returns\". What an exam does by chance depends on --seed alone.

Exit codes:
  0  all that could be tried passed
  1  a trial failed
  2  the exam could not be held: a wrong option, a command that does not start or never listens";

/// What to examine, and what to make of it.
#[derive(Args, Debug)]
#[command(after_help = MORE, override_usage = "exam [OPTIONS] -- COMMAND…\n       exam --list")]
pub struct Arguments {
    /// Name the trials, each with its rule
    #[arg(long, conflicts_with_all = ["command", "only", "html", "json"])]
    list: bool,
    /// Hold this trial alone; may be given several times
    #[arg(long, value_name = "TRIAL")]
    only: Vec<String>,
    /// Have chance fall as it did in another exam
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number)]
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

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a whole number from 0 on".to_owned())
}

/// Holds an exam as the arguments say. The exit code is 0 if all that could be tried passed, 1 if a trial
/// failed, 2 if the exam could not be held.
pub fn exam(arguments: Arguments, environment: Environment) -> ExitCode {
    if arguments.list {
        // Whoever reads may have seen enough.
        let _ = io::stdout().write_all(report::list().as_bytes());
        return ExitCode::SUCCESS;
    }
    let held = held(&arguments, environment);
    all_is_over();
    match held {
        Ok(report) if report.passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(why) => {
            say(&format!("the exam was not held: {why}\n"));
            ExitCode::from(CANNOT_BE_HELD)
        }
    }
}

fn held(arguments: &Arguments, environment: Environment) -> Result<Report, String> {
    let wanted = trials_of(&arguments.only)?;
    for (option, path) in [("--html", &arguments.html), ("--json", &arguments.json)] {
        if let Some(path) = path {
            writable(option, path)?;
        }
    }
    end_with_this_process(None).map_err(|error| error.to_string())?;
    let mut progress = report::Progress::new(wanted.len(), io::stderr().is_terminal());
    let mut told = |told: &Told<'_>| say(&progress.line(told));
    let report = hold_trials(&arguments.command, &wanted, arguments.seed, environment, &mut told)?;
    say(&report::screen(&report));
    let pages = [("--html", &arguments.html, true), ("--json", &arguments.json, false)];
    for (option, path, is_page) in pages {
        let Some(path) = path else { continue };
        let text = if is_page { page::html(&report) } else { report::json(&report) };
        if let Err(error) = write(path, &text) {
            // What was found is worth more.
            say(&format!("{option} {}: {error}\n", plain(&path.to_string_lossy())));
        }
    }
    Ok(report)
}

/// Says in one line what is wrong with arguments that make no [`Arguments`], or gives the help that was asked
/// for.
pub fn refused(error: &clap::Error) -> ExitCode {
    trace::told_why(error, "exam", CANNOT_BE_HELD)
}

/// On standard error, where perhaps nobody reads.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
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
    let wanted = trials_of(only)?;
    hold_trials(command, &wanted, seed, Environment::Own, told)
}

/// The trials of these names, in the order in which they are held.
fn trials_of(only: &[String]) -> Result<Vec<&'static Trial>, String> {
    let names: BTreeSet<_> = only.iter().map(String::as_str).collect();
    if let Some(name) = names.iter().find(|name| trials::ALL.iter().all(|one| one.name != **name)) {
        let all = trials::ALL.map(|trial| trial.name).join(", ");
        return Err(format!("there is no trial `{}`; there are {all}", plain(name)));
    }
    let is_wanted = |trial: &&Trial| names.is_empty() || names.contains(trial.name);
    Ok(trials::ALL.iter().filter(is_wanted).collect())
}

fn hold_trials(
    command: &[OsString],
    wanted: &[&'static Trial],
    seed: u64,
    environment: Environment,
    told: &mut dyn FnMut(&Told<'_>),
) -> Result<Report, String> {
    let start = Instant::now();
    let program = command.first().ok_or("there is no command")?;
    trace::found(program).map_err(|(_, why)| why)?;
    end_runs_with_this_process(None).map_err(|error| error.to_string())?;
    room()?;
    // What the service leaves behind comes to this process, and is found.
    let _ = set_child_subreaper(Some(getpid()));
    let candidate = Candidate { command, environment, seed, has_begun: AtomicBool::new(false) };
    let mut outcomes: Vec<Outcome> = Vec::new();
    for neighbours in wanted.chunk_by(|one, next| one.waits && next.waits) {
        let before = &outcomes;
        let held = thread::scope(|scope| {
            let begun = neighbours.iter().map(|trial| {
                told(&Told::Begins(trial.name));
                let hold = || outcome(&candidate, trial, before);
                thread::Builder::new().name(trial.name.to_owned()).spawn_scoped(scope, hold)
            });
            let begun: Vec<_> = begun.collect();
            let mut held = Vec::new();
            for begun in begun {
                let outcome = begun
                    .map_err(|error| error.to_string())?
                    .join()
                    .map_err(|_| "a trial of the exam itself has failed".to_owned())??;
                told(&Told::Over(&outcome));
                held.push(outcome);
            }
            Ok::<_, String>(held)
        })?;
        outcomes.extend(held);
    }
    let command = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Ok(Report { command, seed, outcomes, took: start.elapsed() })
}

/// Holds one trial.
fn outcome(
    candidate: &Candidate<'_>,
    trial: &Trial,
    before: &[Outcome],
) -> Result<Outcome, String> {
    let bench = Bench::new(candidate, trial.name);
    let began = Instant::now();
    let held = match hindrance(trial, before) {
        Some(why) => Err(Stop::NotTried(why)),
        None => (trial.hold)(&bench),
    };
    let verdict = match held {
        Ok(()) => Verdict::Passed,
        Err(Stop::Failed(sentence)) => Verdict::Failed(sentence),
        Err(Stop::NotTried(why)) => Verdict::NotTried(why),
        Err(Stop::CannotHold(why)) => return Err(why),
    };
    let runs: Vec<_> = bench.courses().iter().map(|course| course.told()).collect();
    Ok(Outcome {
        trial: trial.name,
        rule: trial.rule,
        verdict,
        lesson: trial.lesson,
        printed: runs.last().map(printed).unwrap_or_default(),
        runs,
        took: began.elapsed(),
    })
}

/// What was found before that makes a trial worth nothing.
fn hindrance(trial: &Trial, before: &[Outcome]) -> Option<String> {
    let has_failed = |name: &str| {
        let is_it = |outcome: &Outcome| {
            outcome.trial == name && matches!(outcome.verdict, Verdict::Failed(_))
        };
        before.iter().any(is_it)
    };
    if has_failed(trials::BASICS) {
        return Some(format!("{} failed", trials::BASICS));
    }
    let is_unheard = trial.signals && has_failed(trials::SIGNAL_PATH);
    is_unheard.then(|| format!("SIGTERM does not reach the service ({})", trials::SIGNAL_PATH))
}

/// The last lines that a run printed.
fn printed(seen: &Seen) -> Vec<String> {
    let from = seen.printed.len().saturating_sub(MOST_LINES);
    seen.printed[from..].iter().map(|line| line.text.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_held_in_their_order_and_by_their_names() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            trials_of(&only).map(|trials| trials.iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).map(|names| names.len()), Ok(trials::ALL.len()));
        assert_eq!(names(&["killed", "basics", "killed"]), Ok(vec!["basics", "killed"]));
        let unknown = names(&["kiled"]).expect_err("there is no such trial");
        assert!(unknown.starts_with("there is no trial `kiled`; there are basics, "), "{unknown}");
    }

    #[test]
    fn a_trial_is_named_once() {
        let names: BTreeSet<_> = trials::ALL.iter().map(|trial| trial.name).collect();
        assert_eq!(names.len(), trials::ALL.len());
    }
}
