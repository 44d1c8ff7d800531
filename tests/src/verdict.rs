//! Holds the outcome of a run against the promises of a chapter.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use workbook::promise::{
    APART, Ends, FilePromise, Promise, Run, Scenario, Stream, TOLERANCE, in_seconds, texts,
};
use workbook::recording;
use workbook::run::{End, FIRST_OUTPUT, Gate, Outcome};

/// How many lines of a long output a report shows, at its beginning and at its end.
const SHOWN: usize = 50;

/// What a scenario's runs came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Everything that is not as promised, in the order of the chapter.
    pub broken: Vec<Broken>,
    /// What the first run did, as far as a recording tells it.
    pub first: Option<FirstRun>,
    /// The names of the files that the last run left, if it ended by itself.
    pub left: Vec<String>,
    /// Whether this is the second time, because the first time decided nothing.
    pub repeated: bool,
    /// Whether a run ended too late to be right and too early to be wrong.
    undecided: bool,
    /// What the program printed, run by run, for the end of a report.
    printed: String,
}

/// What a recording is held against.
#[derive(Debug)]
pub struct FirstRun {
    /// What it printed on stdout.
    pub stdout: String,
    /// Its exit code, if it had one.
    pub exit: Option<i32>,
    /// The names of the files that it left, sorted.
    pub files: Vec<String>,
}

/// A promise that was not kept.
#[derive(Debug)]
pub struct Broken {
    /// Its name in `starter_breaks`; for what every run has to keep, that in words.
    pub id: String,
    /// What the chapter says.
    pub promised: String,
    /// What happened, in words that follow "but".
    pub but: String,
}

/// Runs a program as its scenario says and holds the outcome against the promises. Of those who
/// wait at the gate, the one of the greatest `length` is next.
///
/// A run that is late by more than [`TOLERANCE`] and less than [`APART`] tells of the machine, not
/// of the program. It is made once more, and then the same lateness counts.
///
/// # Errors
///
/// If the program cannot be run.
pub fn hold(
    scenario: &Scenario,
    command: impl Fn() -> Command,
    gate: &Gate,
    length: Duration,
) -> io::Result<Verdict> {
    let verdict = hold_once(scenario, &command, gate, length)?;
    if !verdict.undecided {
        return Ok(verdict);
    }
    Ok(Verdict { repeated: true, ..hold_once(scenario, command, gate, length)? })
}

/// The scenario's one run, or its two, in a directory of its own.
fn hold_once(
    scenario: &Scenario,
    command: impl Fn() -> Command,
    gate: &Gate,
    length: Duration,
) -> io::Result<Verdict> {
    let directory = tempfile::tempdir()?;
    let mut verdict = Verdict::default();
    for (number, run) in scenario.runs.iter().enumerate() {
        let which = match (scenario.runs.len(), number) {
            (1, _) => String::new(),
            (_, 0) => " (first run)".to_owned(),
            _ => format!(
                " (second run, in the same directory{})",
                other_arguments(&run.args, &scenario.runs[0].args)
            ),
        };
        let outcome = workbook::run::run(command(), directory.path(), run, gate, length)?;
        let files = recording::files(directory.path())?;
        let files: Vec<_> = files.into_iter().map(|file| file.name).collect();
        let exit = outcome.status.code();
        verdict.left = if exit.is_some() { files.clone() } else { Vec::new() };
        if number == 0 {
            let stdout = String::from_utf8_lossy(&outcome.stdout).into_owned();
            verdict.first = Some(FirstRun { stdout, exit, files });
        }
        verdict.undecided |= is_undecided(run.ends, outcome.end);
        let broken = broken(run, &outcome, directory.path()).into_iter();
        verdict
            .broken
            .extend(broken.map(|broken| Broken { promised: broken.promised + &which, ..broken }));
        verdict.printed.push_str(&printed(&outcome, &which));
        if matches!(outcome.end, End::Hung(_)) {
            // A second run would only make the reader wait for as long again.
            break;
        }
    }
    Ok(verdict)
}

/// What to say of the second run's arguments, which may be the whole clue.
fn other_arguments(second: &[String], first: &[String]) -> String {
    match second {
        same if same == first => String::new(),
        [] => ", without arguments".to_owned(),
        others => format!(", with `{}`", others.join(" ")),
    }
}

impl Verdict {
    /// The names of the promises that were not kept.
    pub fn ids(&self) -> BTreeSet<&str> {
        self.broken.iter().map(|broken| broken.id.as_str()).collect()
    }
}

/// Every broken promise, then what the program printed.
impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for Broken { promised, but, .. } in &self.broken {
            writeln!(f, "  promised  {promised}\n  but       {but}")?;
        }
        if self.repeated {
            let apart = in_seconds(APART);
            writeln!(f, "  this is its second run: the first was late by less than {apart}")?;
        }
        f.write_str(&self.printed)
    }
}

fn broken(run: &Run, outcome: &Outcome, directory: &Path) -> Vec<Broken> {
    let mut broken: Vec<_> = run
        .promises
        .iter()
        .filter_map(|promise| {
            let but = judge(promise, outcome, directory).err()?;
            Some(Broken { id: promise.id(), promised: promise.to_string(), but })
        })
        .collect();
    let mut always = |promised: String, but: String| {
        broken.push(Broken { id: promised.clone(), promised, but });
    };
    if let Some(silent) = outcome.silent {
        let promised = format!("prints something within {}", in_seconds(FIRST_OUTPUT));
        always(promised, format!("its first output came after {:.2} s", silent.as_secs_f64()));
    }
    for text in &outcome.unsent {
        let promised = format!("prints `{text}`, after which it gets a signal");
        always(promised, "there is no such line".to_owned());
    }
    let leaves = run.promises.iter().any(|promise| matches!(promise, Promise::Leaves(_)));
    if !leaves && !outcome.left_behind.is_empty() {
        always(Promise::Leaves(0).words(), format!("there is {}", outcome.left_behind.join(", ")));
    }
    if !outcome.temporary.is_empty() {
        let promised = "leaves nothing in the directory for temporary files".to_owned();
        always(promised, format!("there is {}", outcome.temporary.join(", ")));
    }
    broken
}

fn judge(promise: &Promise, outcome: &Outcome, directory: &Path) -> Result<(), String> {
    match promise {
        Promise::Ends(ends) => judge_end(*ends, outcome),
        // A program that the check had to end has no exit of its own; `ends` tells that.
        Promise::Exit(_) | Promise::Signal(_) if !matches!(outcome.end, End::Ended { .. }) => {
            Ok(())
        }
        Promise::Exit(codes) => assert(outcome)
            .try_code(predicate::in_iter(codes.clone()))
            .map(drop)
            .map_err(|_| how_it_ended(outcome)),
        Promise::Signal(signals) => {
            let signals = signals.iter().map(|signal| *signal as i32);
            let ended_by = std::os::unix::process::ExitStatusExt::signal(&outcome.status);
            match ended_by {
                Some(signal) if predicate::in_iter(signals).eval(&signal) => Ok(()),
                _ => Err(how_it_ended(outcome)),
            }
        }
        Promise::Leaves(count) => match outcome.left_behind.len() {
            left if left == *count => Ok(()),
            0 => Err("there is none".to_owned()),
            _ => Err(format!("there is {}", outcome.left_behind.join(", "))),
        },
        Promise::Lines(stream, lines) => {
            let judge = |printed: &[u8]| lines.judge(&String::from_utf8_lossy(printed));
            let kept = predicate::function(move |printed: &[u8]| judge(printed).is_ok());
            let (result, printed) = match stream {
                Stream::Stdout => (assert(outcome).try_stdout(kept), &outcome.stdout),
                Stream::Stderr => (assert(outcome).try_stderr(kept), &outcome.stderr),
            };
            result.map(drop).map_err(|_| judge(printed).err().unwrap_or_default())
        }
        Promise::File(path, what) => judge_file(&directory.join(path), what),
        Promise::Request(request) => outcome.asked[request.number].judge(&request.answer),
        Promise::Either(alternatives) => {
            let kept = alternatives
                .iter()
                .any(|all| all.iter().all(|promise| judge(promise, outcome, directory).is_ok()));
            if kept { Ok(()) } else { Err("none of them holds as a whole".to_owned()) }
        }
    }
}

fn assert(outcome: &Outcome) -> Assert {
    Assert::new(Output {
        status: outcome.status,
        stdout: outcome.stdout.clone(),
        stderr: outcome.stderr.clone(),
    })
}

fn is_undecided(ends: Ends, end: End) -> bool {
    match (ends, end) {
        (Ends::At(time), End::Ended { since_output, .. }) => {
            since_output > time + TOLERANCE && since_output < time + APART
        }
        _ => false,
    }
}

fn judge_end(ends: Ends, outcome: &Outcome) -> Result<(), String> {
    match (ends, outcome.end) {
        (Ends::Never, End::Alive) => Ok(()),
        (Ends::Never, End::Hung(after)) => Err(format!(
            "after {:.2} s it had not printed just what is promised, and the check ended it",
            after.as_secs_f64()
        )),
        (_, End::Hung(after)) => Err(format!(
            "it was still running after {:.2} s, and the check ended it",
            after.as_secs_f64()
        )),
        (Ends::At(time), End::Ended { since_start, .. }) if since_start < time => {
            // With two decimals 2.298 s would be the 2.3 s that were promised.
            Err(format!("it ended too early: after {:.3} s", since_start.as_secs_f64()))
        }
        (Ends::At(time), End::Ended { since_output, .. }) if since_output > time + TOLERANCE => {
            Err(format!("it ended after {:.2} s", since_output.as_secs_f64()))
        }
        (Ends::At(_), End::Ended { .. }) => Ok(()),
        (Ends::Never, End::Ended { since_start, .. }) => {
            Err(format!("it ended after {:.2} s", since_start.as_secs_f64()))
        }
        // Only a run that is to go on for ever is ended while all is well.
        (Ends::At(_), End::Alive) => Err("the check ended it too early".to_owned()),
    }
}

fn how_it_ended(outcome: &Outcome) -> String {
    match outcome.status.code() {
        Some(code) => format!("it exited with code {code}"),
        None => format!("it was ended by {}", outcome.status),
    }
}

fn judge_file(path: &Path, what: &FilePromise) -> Result<(), String> {
    let missing = predicate::path::missing().eval(path);
    if let FilePromise::Exists(wanted) = what {
        return match (wanted, missing) {
            (true, true) => Err("there is no such file".to_owned()),
            (false, false) => Err("it is there".to_owned()),
            _ => Ok(()),
        };
    }
    if missing {
        return Err("there is no such file".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines =
        |pattern: &str| texts(&text, None).iter().filter(|line| line.contains(pattern)).count();
    match what {
        FilePromise::Exists(_) => Ok(()),
        FilePromise::Lines(count) => match text.matches('\n').count() {
            whole if count.judge(whole).is_ok() => Ok(()),
            1 => Err("it has 1".to_owned()),
            whole => Err(format!("it has {whole}")),
        },
        FilePromise::Whole(wanted) => {
            let whole = text.is_empty() || predicate::str::ends_with("\n").eval(&text);
            match (wanted, whole) {
                (true, false) => {
                    Err(format!("it ends with `{}`", text.lines().next_back().unwrap_or_default()))
                }
                (false, true) => Err("it is whole".to_owned()),
                _ => Ok(()),
            }
        }
        FilePromise::Contents(wanted) if *wanted == text => Ok(()),
        FilePromise::Contents(_) if text.is_empty() => Err("it is empty".to_owned()),
        FilePromise::Contents(_) => Err(format!("it is {text:?}")),
        FilePromise::Has(pattern, count) => count.judge(lines(pattern)),
        FilePromise::Absent(pattern) => match lines(pattern) {
            0 => Ok(()),
            1 => Err("it has, 1 time".to_owned()),
            times => Err(format!("it has, {times} times")),
        },
    }
}

fn printed(outcome: &Outcome, which: &str) -> String {
    let mut report = String::new();
    for (stream, bytes) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        if !bytes.is_empty() {
            report.push_str(&format!("  {stream}{which}\n"));
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<&str> = text.lines().collect();
            let left_out = lines.len().saturating_sub(2 * SHOWN);
            for (index, line) in lines.iter().enumerate() {
                if left_out > 0 && index == SHOWN {
                    report.push_str(&format!("    … {left_out} lines …\n"));
                }
                if left_out == 0 || index < SHOWN || index >= SHOWN + left_out {
                    report.push_str(&format!("    {line}\n"));
                }
            }
        }
    }
    if report.is_empty() {
        report.push_str(&format!("  it printed nothing{which}\n"));
    }
    report
}
