//! Runs a scenario and says all of it that is not as promised.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::promise::judge::{Broken, End, Ran};
use crate::promise::{APART, Exit, Run, Scenario, Stream, in_seconds};
use crate::run::{Gate, continued, run, temporary_directory};

/// How many lines of a long output a report shows, at its beginning and at its end.
const SHOWN: usize = 50;

/// How many characters of a line that a program has printed a report shows, and of what else it has
/// written.
const MOST_OF_A_LINE: usize = 400;
const MOST_OF_A_FILE: usize = 4000;

/// Within this time this process knows that it was stopped.
const SIGNAL_IS_SEEN: Duration = Duration::from_millis(50);

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

/// Runs a program as its scenario says and holds the outcome against the promises. Of those who
/// wait at the gate, the one of the greatest `length` is next. `judge` says what a
/// run breaks: [`Ran::breaks`], or one that asks the same predicates in its own way.
///
/// A run that is late by more than [`TOLERANCE`](crate::promise::TOLERANCE) and less than [`APART`]
/// tells of the machine, not of the program. It is made once more, and then the same lateness counts.
///
/// # Errors
///
/// If the program cannot be run.
pub fn hold(
    scenario: &Scenario,
    command: impl Fn() -> Command,
    gate: &Gate,
    length: Duration,
    judge: impl Fn(&Run, &Ran) -> Vec<Broken>,
) -> io::Result<Verdict> {
    let hold = || undisturbed(|| hold_once(scenario, &command, gate, length, &judge));
    let verdict = hold()?;
    if !verdict.undecided {
        return Ok(verdict);
    }
    Ok(Verdict { repeated: true, ..hold()? })
}

/// Holds once more what breaks a promise while this process was stopped, as by Ctrl-Z: it has seen
/// late what happened, and has sent late what it had to send.
fn undisturbed(hold: impl Fn() -> io::Result<Verdict>) -> io::Result<Verdict> {
    loop {
        let before = continued();
        let verdict = hold()?;
        if verdict.broken.is_empty() {
            return Ok(verdict);
        }
        // The thread that is told may be woken a moment later than this one.
        thread::sleep(SIGNAL_IS_SEEN);
        if continued() == before {
            return Ok(verdict);
        }
    }
}

/// The scenario's one run, or its two, in a directory of its own.
fn hold_once(
    scenario: &Scenario,
    command: &impl Fn() -> Command,
    gate: &Gate,
    length: Duration,
    judge: &impl Fn(&Run, &Ran) -> Vec<Broken>,
) -> io::Result<Verdict> {
    let directory = temporary_directory()?;
    let mut verdict = Verdict::default();
    for (number, promised) in scenario.runs.iter().enumerate() {
        let which = match (scenario.runs.len(), number) {
            (1, _) => String::new(),
            (_, 0) => " (first run)".to_owned(),
            _ => format!(
                " (second run, in the same directory{})",
                other_arguments(&promised.args, &scenario.runs[0].args)
            ),
        };
        let ran = run(command(), directory.path(), promised, gate, length)?;
        let files = names_of_files(directory.path());
        verdict.undecided |= ran.end.is_undecided(promised.ends);
        let mut broken = judge(promised, &ran);
        let files = files.unwrap_or_else(|_| {
            let promised = "leaves its directory where it was".to_owned();
            let but = "it is gone, or closed to its owner".to_owned();
            broken.push(Broken { id: promised.clone(), promised, but });
            Vec::new()
        });
        let exit = match ran.exit {
            Exit::Code(code) => Some(code),
            Exit::Signal(_) => None,
        };
        verdict.left = if exit.is_some() { files.clone() } else { Vec::new() };
        if number == 0 {
            let stdout = String::from_utf8_lossy(&ran.stdout).into_owned();
            verdict.first = Some(FirstRun { stdout, exit, files });
        }
        let broken = broken.into_iter();
        verdict
            .broken
            .extend(broken.map(|broken| Broken { promised: broken.promised + &which, ..broken }));
        verdict.printed.push_str(&printed(&ran, &which));
        if matches!(ran.end, End::Hung(_)) || !directory.path().is_dir() {
            // A second run would only make the reader wait for as long again, or has no place.
            break;
        }
    }
    Ok(verdict)
}

fn names_of_files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A pipe, a socket or a link is left like a file.
        if !entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
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
            writeln!(f, "  promised  {promised}\n  but       {}", plain(but, MOST_OF_A_FILE))?;
        }
        if self.repeated {
            let apart = in_seconds(APART);
            writeln!(f, "  this is its second run: the first was late by less than {apart}")?;
        }
        f.write_str(&self.printed)
    }
}

fn printed(ran: &Ran, which: &str) -> String {
    let mut report = String::new();
    for stream in [Stream::Stdout, Stream::Stderr] {
        let text = escaped(ran.printed(stream));
        if text.is_empty() {
            continue;
        }
        report.push_str(&format!("  {stream}{which}\n"));
        let lines: Vec<&str> = text.lines().collect();
        let left_out = lines.len().saturating_sub(2 * SHOWN);
        for (index, line) in lines.iter().enumerate() {
            if left_out > 0 && index == SHOWN {
                report.push_str(&format!("    … {left_out} lines …\n"));
            }
            if left_out == 0 || index < SHOWN || index >= SHOWN + left_out {
                report.push_str(&format!("    {}\n", plain(line, MOST_OF_A_LINE)));
            }
        }
    }
    if report.is_empty() {
        report.push_str(&format!("  it printed nothing{which}\n"));
    }
    report
}

/// Text with its bytes that are none as `\xff`.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

/// The beginning of a text, with what a terminal would take for a command as `\u{1b}`.
fn plain(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == most {
            plain.push_str(&format!(" … {} more characters", text.chars().count() - most));
            break;
        }
        match character {
            // These turn the direction of what follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                plain.extend(character.escape_unicode());
            }
            '\t' => plain.push(character),
            control if control.is_control() => plain.extend(control.escape_default()),
            other => plain.push(other),
        }
    }
    plain
}
