//! Runs a scenario and says all of it that is not as promised.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::promise::judge::{Broken, End, Ran};
use crate::promise::{APART, Exit, Run, Scenario, Stream, in_seconds};
use crate::run::{Gate, Start, held_up, held_up_by_now, run, temporary_directory};

/// How many lines of a long output a report shows, at its beginning and at its end. Where there are several
/// runs they share them.
const SHOWN: usize = 50;

/// How many bytes of a report tell of a line that a program has printed, and of what else it has
/// written.
const MOST_OF_A_LINE: usize = 200;
const MOST_OF_A_FILE: usize = 2000;

/// How often a scenario is held at most before a machine that stands still now and then is taken as it is.
const TRIES: usize = 3;

/// What a scenario's runs came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Everything that is not as promised, in the order of the chapter.
    pub broken: Vec<Broken>,
    /// What the first run did, as far as a recording tells it.
    pub first: Option<FirstRun>,
    /// The names of the files that the last run left, if it ended by itself.
    pub left: Vec<String>,
    /// Whether this is not the first time, because an earlier one decided nothing.
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
pub fn hold<S: Into<Start>>(
    scenario: &Scenario,
    start: impl Fn() -> S,
    gate: &Gate,
    length: Duration,
    judge: impl Fn(&Run, &Ran) -> Vec<Broken>,
) -> io::Result<Verdict> {
    let hold = || undisturbed(|| hold_once(scenario, &start, gate, length, &judge));
    let verdict = hold()?;
    if !verdict.undecided {
        return Ok(verdict);
    }
    Ok(Verdict { repeated: true, ..hold()? })
}

/// Holds once more what breaks a promise while this process was held up, by a stop as with Ctrl-Z or by a
/// machine that stood still: it has seen late what happened, and has sent late what it had to send.
fn undisturbed(hold: impl Fn() -> io::Result<Verdict>) -> io::Result<Verdict> {
    let mut tried = 0;
    loop {
        let before = held_up();
        let verdict = hold()?;
        tried += 1;
        let repeated = verdict.repeated || tried > 1;
        if verdict.broken.is_empty() || tried == TRIES || held_up_by_now() == before {
            return Ok(Verdict { repeated, ..verdict });
        }
    }
}

/// The scenario's runs, one after another in a directory of their own.
fn hold_once<S: Into<Start>>(
    scenario: &Scenario,
    start: &impl Fn() -> S,
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
                " ({} run, in the same directory{})",
                match number {
                    1 => "second",
                    2 => "third",
                    _ => "next",
                },
                other_arguments(&promised.args, &scenario.runs[0].args)
            ),
        };
        let ran = run(start(), directory.path(), promised, gate, length)?;
        let files = left_in(directory.path());
        verdict.undecided |= ran.end.is_undecided(promised.ends);
        let mut broken = judge(promised, &ran);
        let files = files.unwrap_or_else(|gone| {
            broken.push(gone);
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
        verdict.printed.push_str(&printed(&ran, &which, SHOWN / scenario.runs.len()));
        if matches!(ran.end, End::Hung(_)) || !directory.path().is_dir() {
            // A second run would only make the reader wait for as long again, or has no place.
            break;
        }
    }
    Ok(verdict)
}

/// The names of the files that a run has left in its directory.
///
/// # Errors
///
/// What it has broken if there is no such directory any more.
pub fn left_in(directory: &Path) -> Result<Vec<String>, Broken> {
    names_of_files(directory).map_err(|_| {
        let promised = "leaves its directory where it was".to_owned();
        let but = "it is gone, or closed to its owner".to_owned();
        Broken { id: promised.clone(), promised, but }
    })
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
            writeln!(
                f,
                "  it was run once more: it was late by less than {apart}, or this machine stood still"
            )?;
        }
        f.write_str(&self.printed)
    }
}

fn printed(ran: &Ran, which: &str, shown: usize) -> String {
    let mut report = String::new();
    for stream in [Stream::Stdout, Stream::Stderr] {
        let text = escaped(ran.printed(stream));
        if text.is_empty() {
            continue;
        }
        report.push_str(&format!("  {stream}{which}\n"));
        let lines: Vec<&str> = text.lines().collect();
        let left_out = lines.len().saturating_sub(2 * shown);
        for (index, line) in lines.iter().enumerate() {
            if left_out > 0 && index == shown {
                report.push_str(&format!("    … {left_out} lines …\n"));
            }
            if left_out == 0 || index < shown || index >= shown + left_out {
                report.push_str(&format!("    {}\n", plain(line, MOST_OF_A_LINE)));
            }
        }
    }
    if report.is_empty() {
        report.push_str(&format!("  it printed nothing{which}\n"));
    }
    report
}

/// The lines of what a program has written, as they can be shown: what is no text as `\xff`, what a
/// terminal would take for a command as `\u{1b}`, and of a long line its beginning.
pub fn readable(bytes: &[u8]) -> Vec<String> {
    escaped(bytes).lines().map(|line| plain(line, MOST_OF_A_LINE)).collect()
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
        // An escape takes up to ten bytes.
        if plain.len() >= most {
            plain.push_str(&format!(" … {} more characters", text.chars().count() - index));
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
