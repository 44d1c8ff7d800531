//! Promises: what a chapter says of a program, in a form that a reader reads and a test runs.
//!
//! A chapter holds them in fenced `promise` blocks of TOML; one block is one [`Scenario`]. `keys`
//! reads a block, [`words`] says it to a reader, [`mod@line`] to `diff`, and [`judge`] holds it against what a
//! program did.

pub mod judge;
mod keys;
mod language;
pub mod line;
pub mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;
use regex::{NoExpand, Regex};
use serde::Deserialize;
use toml::Spanned;

use keys::Keys;
pub(crate) use keys::{SignalName, at_span};
pub use language::{Language, Version};
use words::listing;

/// How much later than promised a program may end, counted from its first output.
///
/// 18 times the worst delay measured beside eight busy loops, and half of [`APART`].
pub const TOLERANCE: Duration = Duration::from_millis(500);

/// Outcomes that are right and such that are wrong end at least this far apart in every scenario.
pub const APART: Duration = Duration::from_secs(1);

/// How long a program that never ends has to live on after its last expected line.
pub const STILL_ALIVE: Duration = Duration::from_secs(2);

/// One `promise` block: a program, how it is run, and what the chapter promises of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Tells the scenarios of a chapter apart; the lesson's own has none.
    pub name: Option<String>,
    /// The program, or the lesson's own where there is none. A name that ends in `.py`, `.java` or `.go`
    /// is that of a twin: the scenario is about its language alone.
    pub program: Option<Spanned<String>>,
    /// The cargo profile that the program is built with.
    pub profile: Profile,
    /// The feature of the lesson's crate that the program needs. It is off by default, and so is
    /// the check of this scenario.
    pub feature: Option<String>,
    /// A command without which the program cannot be built; where it is missing this is not checked.
    pub needs: Option<String>,
    /// The languages whose twins of the program keep the same promises, each from its version on.
    pub twins: BTreeMap<Language, Version>,
    /// For an exercise: the ids of the promises that its untouched starter breaks.
    pub starter_breaks: Option<Vec<Spanned<String>>>,
    /// The second run keeps the promises of the first.
    pub twice: bool,
    /// One run, or two in the same directory.
    pub runs: Vec<Run>,
}

/// One run of a scenario's program.
#[derive(Clone, Debug)]
pub struct Run {
    /// Arguments of the program.
    pub args: Vec<String>,
    /// Signals that the check sends.
    pub send: Vec<Send>,
    /// When the program ends.
    pub ends: Ends,
    /// What has to hold, in the order of the rendered table.
    pub promises: Vec<Promise>,
}

/// When a program ends, counted from its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ends {
    /// Not before this time, and not more than [`TOLERANCE`] after it.
    At(Duration),
    /// Not by itself: it is still alive [`STILL_ALIVE`] after its last expected line.
    Never,
}

/// A signal that the check sends to the program.
#[derive(Clone, Debug)]
pub struct Send {
    /// Which one.
    pub signal: Signal,
    /// When.
    pub when: When,
}

/// A request that the check makes of the service that the program offers.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which of the run's requests this is, counted from 0.
    pub number: usize,
    /// Whether it is a POST, without a body; else it is a GET.
    pub posts: bool,
    /// What it asks for, at the address `http://127.0.0.1:<port>` that the program prints first.
    pub path: String,
    /// When it is made.
    pub when: When,
    /// What becomes of it.
    pub answer: Answer,
}

/// What is promised of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is answered completely.
    Whole {
        /// With this status,
        status: u16,
        /// with this in its text,
        has: Option<String>,
        /// and after this many seconds, from the first to the second.
        takes: Option<(f64, f64)>,
    },
    /// The connection ends before the answer is complete.
    Cut,
    /// Nobody takes the connection.
    Refused,
}

/// The moment of a signal or a request.
#[derive(Clone, Debug)]
pub enum When {
    /// This long after its first output, so that a late start does not move it.
    At(Duration),
    /// As soon as a line on stdout or stderr holds this text.
    After(String),
}

/// The cargo profile of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// What `cargo run` uses.
    #[default]
    Dev,
    /// The workspace's profile with `panic = "abort"`.
    Abort,
}

/// One thing that is promised: a row of the table, a test's "promised … but …".
#[derive(Clone, Debug)]
pub enum Promise {
    /// When the program ends.
    Ends(Ends),
    /// How it ends.
    Exit(Exit),
    /// This many processes outlive the program and have to be ended by the check.
    Leaves(usize),
    /// What it prints.
    Lines(Stream, LinePromise),
    /// What a file in its directory holds afterwards.
    File(String, FilePromise),
    /// What becomes of a request.
    Request(Request),
}

/// How a process ends: as it says itself, or as a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By the signal of this number.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    /// What the system tells of a process that has ended.
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(code) => Self::Code(code),
            None => Self::Signal(status.signal().unwrap_or_default()),
        }
    }
}

/// Where a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a stream holds. The text of a log line is its message; of any other line, all of it.
#[derive(Clone, Debug)]
pub struct LinePromise {
    /// Only the log lines of this thread count.
    pub thread: Option<String>,
    /// What about them.
    pub what: Lines,
}

/// What is promised of lines.
#[derive(Clone, Debug)]
pub enum Lines {
    /// Exactly these, in this order.
    Says(Vec<String>),
    /// These in this order; others may stand between them.
    Order(Vec<String>),
    /// So many lines hold this text.
    Has(Pattern, Count),
    /// No line holds this text.
    Absent(String),
}

/// A text, with at most one `{}` for a number that has to lie in a range.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// The range, and what finds the number.
    figure: Option<((f64, f64), Regex)>,
}

/// What is promised of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum FilePromise {
    /// It is there, or it is not.
    Exists(bool),
    /// It holds so many lines; an unfinished last one does not count.
    Lines(Count),
    /// Its last line is whole (ends in a line feed), or it is torn.
    Whole(bool),
    /// It holds exactly this.
    Contents(String),
    /// So many lines hold this text.
    Has(String, Count),
    /// No line holds this text.
    Absent(String),
}

/// How often: between two numbers, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At least.
    pub least: usize,
    /// At most; `usize::MAX` for no limit.
    pub most: usize,
}

/// What is wrong with a block: a message, and the bytes of the block that it is about.
#[derive(Debug)]
pub struct Mistake {
    /// One sentence for the chapter's author.
    pub message: String,
    /// Where in the block, if it is about one place.
    pub span: Option<Range<usize>>,
}

impl Scenario {
    /// Reads one block.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: no TOML, an unknown key, a value of the wrong type, or keys
    /// that contradict one another.
    pub fn parse(toml: &str) -> Result<Self, Mistake> {
        let mut keys: Keys = toml::from_str(toml)?;
        let (twice, again) = (keys.twice, keys.again.take());
        let mut scenario = Self {
            name: keys.name.take(),
            program: keys.program.take(),
            profile: keys.profile,
            feature: keys.feature.take(),
            needs: keys.needs.take(),
            twins: keys.twins(),
            starter_breaks: keys.starter_breaks.take(),
            twice,
            runs: vec![keys.into_run()?],
        };
        match (twice, again) {
            (true, Some(_)) => return Err("`twice` and `again` exclude each other".into()),
            (true, None) => scenario.runs.push(scenario.runs[0].clone()),
            (false, mut next) => {
                while let Some(mut again) = next {
                    next = again.again.take();
                    if again.is_more_than_a_run() {
                        return Err("`again` says how the same program is run: it has no `name`, \
                                    `program`, `profile`, `feature`, `needs`, `python`, `java`, `go`, \
                                    `starter_breaks` or `twice`"
                            .into());
                    }
                    scenario.runs.push(again.into_run()?);
                }
            }
        }
        if !scenario.name.as_deref().is_none_or(is_plain) {
            return Err("a `name` has small letters, digits and `-`".into());
        }
        if let Some(language) = scenario.language()
            && !scenario.twins.keys().eq([&language])
        {
            return Err(format!(
                "a {language} program needs `{}`, the oldest version that keeps this, and no other \
                 language",
                language.key()
            )
            .into());
        }
        scenario.check_starter_breaks()?;
        Ok(scenario)
    }

    fn check_starter_breaks(&self) -> Result<(), Mistake> {
        let Some(breaks) = &self.starter_breaks else { return Ok(()) };
        if breaks.is_empty() {
            return Err(
                "`starter_breaks` is empty: the untouched starter must break a promise".into()
            );
        }
        if self.name.is_some() || self.program.is_some() || !self.twins.is_empty() {
            return Err("an exercise has no `name`, no `program` and no twin: \
                        its programs are <lesson>-exercise and <lesson>-solution"
                .into());
        }
        let ids: Vec<String> = self.promises().map(|(_, promise)| promise.id()).collect();
        match breaks.iter().find(|id| !ids.contains(id.get_ref())) {
            None => Ok(()),
            Some(unknown) => Err(Mistake {
                message: format!(
                    "`starter_breaks` names `{}`, which this block does not promise; it promises {}",
                    unknown.get_ref(),
                    listing(&ids)
                ),
                span: Some(unknown.span()),
            }),
        }
    }

    /// The language that it is about alone; where there is none it runs a Rust program.
    pub fn language(&self) -> Option<Language> {
        self.program.as_ref().and_then(|program| Language::of(program.get_ref()).1)
    }

    /// The name of its test and of its recording, given the lesson's.
    pub fn full_name(&self, lesson: &str) -> String {
        match &self.name {
            Some(name) => format!("{lesson}::{name}"),
            None => lesson.to_owned(),
        }
    }

    /// The promises of all runs, each with the number of its run (0 is the first).
    pub fn promises(&self) -> impl Iterator<Item = (usize, &Promise)> {
        let runs = self.runs.iter().enumerate();
        runs.flat_map(|(number, run)| run.promises.iter().map(move |promise| (number, promise)))
    }

    /// How long its runs take together if the promises are kept; of one that never ends, a guess.
    pub fn duration(&self) -> Duration {
        self.runs
            .iter()
            .map(|run| match run.ends {
                Ends::At(time) => time,
                // Most have printed their last line after two or three seconds.
                Ends::Never => STILL_ALIVE + Duration::from_secs(3),
            })
            .sum()
    }
}

impl Run {
    /// The requests that the check makes, in the order of their numbers.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.promises.iter().filter_map(|promise| match promise {
            Promise::Request(request) => Some(request),
            _ => None,
        })
    }
}

impl Promise {
    /// The name of this promise in `starter_breaks`.
    pub fn id(&self) -> String {
        match self {
            Self::Ends(_) => "ends".to_owned(),
            Self::Exit(Exit::Code(_)) => "exit".to_owned(),
            Self::Exit(Exit::Signal(_)) => "signal".to_owned(),
            Self::Leaves(_) => "leaves".to_owned(),
            Self::Lines(stream, LinePromise { thread, what }) => {
                let thread = thread.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
                let what = match what {
                    Lines::Says(_) => "says".to_owned(),
                    Lines::Order(_) => "order".to_owned(),
                    Lines::Has(pattern, _) => format!("has {}", pattern.text),
                    Lines::Absent(text) => format!("absent {text}"),
                };
                format!("{stream}{thread} {what}")
            }
            Self::File(path, what) => match what {
                FilePromise::Exists(_) => format!("{path} exists"),
                FilePromise::Lines(_) => format!("{path} lines"),
                FilePromise::Whole(_) => format!("{path} whole"),
                FilePromise::Contents(_) => format!("{path} contents"),
                FilePromise::Has(text, _) => format!("{path} has {text}"),
                FilePromise::Absent(text) => format!("{path} absent {text}"),
            },
            Self::Request(request) => request.to_string(),
        }
    }

    /// The line without the numbers to which this promise gives a range: they differ from run to
    /// run.
    pub fn mask(&self, line: String) -> String {
        match self {
            Self::Lines(_, LinePromise { what: Lines::Has(pattern, _), .. }) => pattern.mask(line),
            _ => line,
        }
    }
}

impl Pattern {
    pub(crate) fn new(text: &str, figure: Option<(f64, f64)>) -> Result<Self, Mistake> {
        match (text.matches("{}").count(), figure) {
            (0, None) => {}
            (1, Some((least, most))) if least <= most => {}
            _ => {
                return Err(
                    "`has` with one `{}` needs `figure = [least, most]`, and only then".into()
                );
            }
        }
        let figure = figure.map(|range| {
            let regex = regex::escape(text).replace(r"\{\}", r"(-?[0-9]+(?:\.[0-9]+)?)");
            Ok::<_, regex::Error>((range, Regex::new(&regex)?))
        });
        let figure = figure.transpose().map_err(|error| Mistake::from(error.to_string()))?;
        Ok(Self { text: text.to_owned(), figure })
    }

    pub(crate) fn mask(&self, line: String) -> String {
        match &self.figure {
            None => line,
            Some((_, regex)) => regex.replace_all(&line, NoExpand(&self.text)).into_owned(),
        }
    }

    fn matches(&self, line: &str) -> bool {
        let Some(((least, most), _)) = &self.figure else { return line.contains(&self.text) };
        self.figures(line).any(|figure| (*least..=*most).contains(&figure))
    }

    /// The numbers that a line has where this text has its `{}`, if it has one.
    pub(crate) fn figures(&self, line: &str) -> impl Iterator<Item = f64> {
        let found = self.figure.iter().flat_map(move |(_, regex)| regex.captures_iter(line));
        found.filter_map(|captures| captures.get(1)?.as_str().parse().ok())
    }

    /// The text, if it has no figure.
    pub fn plain(&self) -> Option<&str> {
        self.figure.is_none().then_some(&self.text)
    }

    /// Between which numbers its figure lies.
    pub(crate) fn range(&self) -> (f64, f64) {
        self.figure.as_ref().map_or((f64::NEG_INFINITY, f64::INFINITY), |(range, _)| *range)
    }

    /// The text with something in the place of its figure.
    pub fn filled(&self, figure: &str) -> String {
        self.text.replace("{}", figure)
    }
}

impl Count {
    const ZERO: Self = Self { least: 0, most: 0 };
    const ONCE_OR_MORE: Self = Self { least: 1, most: usize::MAX };
}

impl Profile {
    /// Its name on cargo's command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Abort => "abort",
        }
    }
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        Self { message, span: error.span() }
    }
}

impl From<String> for Mistake {
    fn from(message: String) -> Self {
        Self { message, span: None }
    }
}

impl From<&str> for Mistake {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// A duration as the chapters write it: `3.5 s`.
pub fn in_seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Whether a block may have this name.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
}

#[cfg(test)]
mod tests;
