//! Promises: what a chapter says of a program, in a form that a reader reads and a test runs.
//!
//! A chapter holds them in fenced `promise` blocks of TOML; one block is one [`Scenario`].
//! [`Scenario::parse`] is strict, [`Promise`] displays itself in the words of the rendered table
//! and of the test's report, and [`LinePromise::judge`] holds one against what was printed.

mod keys;

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use lesson_log::LogLine;
use nix::sys::signal::Signal;
use regex::{NoExpand, Regex};
use serde::Deserialize;
use toml::Spanned;

use keys::Keys;
pub(crate) use keys::at_span;

/// Stands before and after code in the words of a promise: a text may itself have backticks.
pub const CODE: char = '\u{1}';

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
    /// The program, or the lesson's own where there is none. A name that ends in `.py` is that of a
    /// twin: the scenario is about Python alone.
    pub program: Option<Spanned<String>>,
    /// The cargo profile that the program is built with.
    pub profile: Profile,
    /// The feature of the lesson's crate that the program needs. It is off by default, and so is
    /// the check of this scenario.
    pub feature: Option<String>,
    /// The oldest Python whose twin `<program>.py` keeps the same promises.
    pub python: Option<PythonVersion>,
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

/// A version of Python, such as 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion(pub u32, pub u32);

/// One thing that is promised: a row of the table, a test's "promised … but …".
#[derive(Clone, Debug)]
pub enum Promise {
    /// When the program ends.
    Ends(Ends),
    /// One of these exit codes.
    Exit(Vec<i32>),
    /// Ended by one of these signals.
    Signal(Vec<Signal>),
    /// This many processes outlive the program and have to be ended by the check.
    Leaves(usize),
    /// What it prints.
    Lines(Stream, LinePromise),
    /// What a file in its directory holds afterwards.
    File(String, FilePromise),
    /// What becomes of a request.
    Request(Request),
    /// At least one of these lists holds as a whole.
    Either(Vec<Vec<Promise>>),
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
    figure: Option<(f64, f64)>,
    regex: Regex,
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
            python: keys.python,
            starter_breaks: keys.starter_breaks.take(),
            twice,
            runs: vec![keys.into_run()?],
        };
        match (twice, again) {
            (true, Some(_)) => return Err("`twice` and `again` exclude each other".into()),
            (true, None) => scenario.runs.push(scenario.runs[0].clone()),
            (false, Some(again)) => {
                if again.is_more_than_a_run() {
                    return Err("`again` says how the same program is run: it has no `name`, \
                                `program`, `profile`, `feature`, `python`, `starter_breaks` or \
                                `again`"
                        .into());
                }
                scenario.runs.push(again.into_run()?);
            }
            (false, None) => {}
        }
        if !scenario.name.as_deref().is_none_or(is_plain) {
            return Err("a `name` has small letters, digits and `-`".into());
        }
        if scenario.is_python_only() && scenario.python.is_none() {
            return Err(
                "a Python program needs `python`, the oldest version that keeps this".into()
            );
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
        if self.name.is_some() || self.program.is_some() || self.python.is_some() {
            return Err("an exercise has no `name`, `program` or `python`: \
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
                    quoted(&ids).replace(CODE, "`")
                ),
                span: Some(unknown.span()),
            }),
        }
    }

    /// Whether it is about a Python program alone.
    pub fn is_python_only(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.get_ref().ends_with(".py"))
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

    /// Whether everything that these promises want to see printed has been printed.
    pub fn has_printed_all(&self, stdout: &str, stderr: &str) -> bool {
        have_printed_all(&self.promises, stdout, stderr)
    }
}

fn have_printed_all(promises: &[Promise], stdout: &str, stderr: &str) -> bool {
    promises.iter().all(|promise| match promise {
        Promise::Lines(_, LinePromise { what: Lines::Absent(_), .. }) => true,
        Promise::Lines(stream, lines) => lines.judge(stream.of(stdout, stderr)).is_ok(),
        Promise::Either(alternatives) => {
            alternatives.iter().any(|all| have_printed_all(all, stdout, stderr))
        }
        _ => true,
    })
}

impl Promise {
    /// The name of this promise in `starter_breaks`.
    pub fn id(&self) -> String {
        match self {
            Self::Ends(_) => "ends".to_owned(),
            Self::Exit(_) => "exit".to_owned(),
            Self::Signal(_) => "signal".to_owned(),
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
            Self::Either(_) => "either".to_owned(),
        }
    }

    /// What the promise is about: the first column of the table. Code stands between [`CODE`]s.
    pub fn subject(&self) -> String {
        match self {
            Self::Ends(_) | Self::Exit(_) | Self::Signal(_) | Self::Leaves(_) | Self::Either(_) => {
                "the program".to_owned()
            }
            Self::Lines(stream, LinePromise { thread: None, .. }) => stream.to_string(),
            Self::Lines(stream, LinePromise { thread: Some(thread), .. }) => {
                format!("thread {CODE}{thread}{CODE} on {stream}")
            }
            Self::File(path, _) => code(path),
            Self::Request(request) => code(request),
        }
    }

    /// What is promised of the subject, in one clause. Code stands between [`CODE`]s.
    pub fn words(&self) -> String {
        match self.listed() {
            Some((words, lines)) => format!("{words}: {}", quoted(&lines)),
            None => self.unlisted(),
        }
    }

    /// The promise as words and the lines that they are about, if it lists lines.
    pub fn listed(&self) -> Option<(&'static str, Vec<&str>)> {
        let (words, lines) = match self {
            Self::Lines(_, LinePromise { thread, what: Lines::Says(lines) }) => {
                let words = match thread {
                    Some(_) => "logs exactly, in this order",
                    None => "is exactly, in this order",
                };
                (words, lines.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Self::Lines(_, LinePromise { what: Lines::Order(lines), .. }) => {
                ("has in this order, among others", lines.iter().map(String::as_str).collect())
            }
            Self::File(_, FilePromise::Contents(text)) => ("is exactly", text.lines().collect()),
            _ => return None,
        };
        (!lines.is_empty()).then_some((words, lines))
    }

    fn unlisted(&self) -> String {
        match self {
            Self::Ends(Ends::At(time)) => format!(
                "ends {} after the start (at most {} later)",
                in_seconds(*time),
                in_seconds(TOLERANCE)
            ),
            Self::Ends(Ends::Never) => format!(
                "never ends: it is alive {} after the last line below, and the check ends it",
                in_seconds(STILL_ALIVE)
            ),
            Self::Exit(codes) => format!("exits with code {}", or(codes)),
            Self::Signal(signals) => format!("is ended by {}", or(signals)),
            Self::Leaves(0) => "leaves no process behind".to_owned(),
            Self::Leaves(1) => "leaves 1 process behind, which the check ends".to_owned(),
            Self::Leaves(count) => {
                format!("leaves {count} processes behind, which the check ends")
            }
            Self::Lines(_, LinePromise { thread, what }) => match what {
                Lines::Says(_) | Lines::Order(_) if thread.is_some() => "logs nothing".to_owned(),
                Lines::Says(_) | Lines::Order(_) => "is empty".to_owned(),
                Lines::Has(pattern, count) => format!("has {pattern} {count}"),
                Lines::Absent(text) => format!("does not have {CODE}{text}{CODE}"),
            },
            Self::File(_, what) => match what {
                FilePromise::Exists(true) => "exists".to_owned(),
                FilePromise::Exists(false) => "does not exist".to_owned(),
                FilePromise::Lines(count) => format!("has {}", count.of("line")),
                FilePromise::Whole(true) => "ends with a whole line".to_owned(),
                FilePromise::Whole(false) => "ends with a torn line".to_owned(),
                FilePromise::Contents(_) => "is empty".to_owned(),
                FilePromise::Has(text, count) => format!("has {CODE}{text}{CODE} {count}"),
                FilePromise::Absent(text) => format!("does not have {CODE}{text}{CODE}"),
            },
            Self::Request(Request { when, answer, .. }) => format!("asked {when}, {answer}"),
            Self::Either(alternatives) => alternatives
                .iter()
                .map(|all| all.iter().map(Promise::to_string).collect::<Vec<_>>().join(" and "))
                .collect::<Vec<_>>()
                .join("; or "),
        }
    }

    /// The line without the numbers to which this promise gives a range: they differ from run to
    /// run.
    pub fn mask(&self, line: String) -> String {
        match self {
            Self::Lines(_, LinePromise { what: Lines::Has(pattern, _), .. }) => pattern.mask(line),
            Self::Either(alternatives) => {
                alternatives.iter().flatten().fold(line, |line, promise| promise.mask(line))
            }
            _ => line,
        }
    }

    pub(crate) fn is_about_the_exit(&self) -> bool {
        match self {
            Self::Exit(_) | Self::Signal(_) => true,
            Self::Either(alternatives) => {
                alternatives.iter().all(|all| all.iter().any(Self::is_about_the_exit))
            }
            _ => false,
        }
    }
}

/// The promise as one clause, for a test's report.
impl Display for Promise {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Lines(..) | Self::File(..) | Self::Request(_) => {
                format!("{} {}", self.subject(), self.words())
            }
            _ => self.words(),
        };
        f.write_str(&words.replace(CODE, "`"))
    }
}

/// Its method and its path, as in `GET /health`.
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.posts { "POST" } else { "GET" }, self.path)
    }
}

/// As it follows "is sent". Code stands between [`CODE`]s.
impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => write!(f, "{} after its first line", in_seconds(*time)),
            Self::After(text) => write!(f, "after the line {}", code(text)),
        }
    }
}

/// As it follows the request. Code stands between [`CODE`]s.
impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self::Whole { status, has, takes } = self else {
            return f.write_str(match self {
                Self::Cut => "is cut: the connection ends before the answer is complete",
                _ => "is refused: nobody takes the connection",
            });
        };
        write!(f, "is answered with status {status}")?;
        if let Some(text) = has {
            write!(f, " and {}", code(text))?;
        }
        match takes {
            Some((least, most)) => write!(f, " after {least} to {most} s"),
            None => Ok(()),
        }
    }
}

impl Stream {
    /// The stream's own text, of the two.
    pub fn of<'a>(self, stdout: &'a str, stderr: &'a str) -> &'a str {
        match self {
            Self::Stdout => stdout,
            Self::Stderr => stderr,
        }
    }
}

impl Display for Stream {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

impl LinePromise {
    /// Holds the promise against the whole text of its stream.
    ///
    /// # Errors
    ///
    /// What stands there instead, in words that follow "but".
    pub fn judge(&self, printed: &str) -> Result<(), String> {
        let texts = texts(printed, self.thread.as_deref());
        match &self.what {
            Lines::Says(expected) if *expected == texts => Ok(()),
            Lines::Says(expected) => Err(difference(expected, &texts)),
            Lines::Order(expected) => {
                let mut rest = texts.iter();
                match expected.iter().position(|text| !rest.any(|line| line == text)) {
                    None => Ok(()),
                    Some(0) => Err(format!("`{}` is not there", expected[0])),
                    Some(index) => Err(format!(
                        "`{}` does not come after `{}`",
                        expected[index],
                        expected[index - 1]
                    )),
                }
            }
            Lines::Has(pattern, count) => {
                let times = texts.iter().filter(|line| pattern.matches(line)).count();
                let mut others = texts.iter().flat_map(|line| pattern.figures(line));
                count.judge(times).map_err(|but| match others.next() {
                    Some(figure) if times == 0 => format!("the number is {figure}"),
                    _ => but,
                })
            }
            Lines::Absent(text) => {
                Count::ZERO.judge(texts.iter().filter(|line| line.contains(text)).count())
            }
        }
    }
}

/// Where a list of lines first differs from what is expected. Of blank lines, such as the one that a
/// panic's message begins with, it names the line after them.
fn difference(expected: &[String], found: &[String]) -> String {
    let same = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
    let after = match same.checked_sub(1) {
        Some(last) => format!(" after `{}`", expected[last]),
        None => String::new(),
    };
    let is_blank = |line: &str| line.trim().is_empty();
    let found = &found[same..];
    let told = found.iter().find(|line| !is_blank(line)).or(found.first());
    let name =
        |line: &str| if is_blank(line) { "a blank line".to_owned() } else { format!("`{line}`") };
    match (expected.get(same), told) {
        (Some(missing), None) => format!("{} is missing{after}", name(missing)),
        (None, Some(extra)) => format!("there is {}{after}", name(extra)),
        (Some(expected), Some(found)) if expected == found => {
            format!("there is a blank line before {}", name(expected))
        }
        (Some(expected), Some(found)) => {
            format!("{} is in the place of {}", name(found), name(expected))
        }
        (None, None) => "there is no difference".to_owned(),
    }
}

/// The texts of the lines of a stream: of a log line its message, of another line all of it.
/// With a thread, only the messages of that thread.
pub fn texts(printed: &str, thread: Option<&str>) -> Vec<String> {
    printed
        .lines()
        .filter_map(|line| match (line.parse::<LogLine>(), thread) {
            (Ok(log), Some(thread)) => (log.thread == thread).then_some(log.text),
            (Ok(log), None) => Some(log.text),
            (Err(_), Some(_)) => None,
            (Err(_), None) => Some(line.to_owned()),
        })
        .collect()
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
        let regex = regex::escape(text).replace(r"\{\}", r"(-?[0-9]+(?:\.[0-9]+)?)");
        let regex = Regex::new(&regex).map_err(|error| Mistake::from(error.to_string()))?;
        Ok(Self { text: text.to_owned(), figure, regex })
    }

    pub(crate) fn mask(&self, line: String) -> String {
        match self.figure {
            None => line,
            Some(_) => self.regex.replace_all(&line, NoExpand(&self.text)).into_owned(),
        }
    }

    fn matches(&self, line: &str) -> bool {
        let Some((least, most)) = self.figure else { return line.contains(&self.text) };
        self.figures(line).any(|figure| (least..=most).contains(&figure))
    }

    /// The numbers that a line has where this text has its `{}`, if it has one.
    pub(crate) fn figures(&self, line: &str) -> impl Iterator<Item = f64> {
        self.regex.captures_iter(line).filter_map(|captures| captures.get(1)?.as_str().parse().ok())
    }

    /// The text, if it has no figure.
    pub(crate) fn plain(&self) -> Option<&str> {
        self.figure.is_none().then_some(&self.text)
    }

    /// Between which numbers its figure lies.
    pub(crate) fn range(&self) -> (f64, f64) {
        self.figure.unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
    }

    /// The text with something in the place of its figure.
    pub fn filled(&self, figure: &str) -> String {
        self.text.replace("{}", figure)
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.figure {
            None => f.write_str(&code(&self.text)),
            Some((least, most)) => {
                let text = code(self.filled("…"));
                write!(f, "{text} (a number from {least} to {most})")
            }
        }
    }
}

impl Count {
    const ZERO: Self = Self { least: 0, most: 0 };
    const ONCE_OR_MORE: Self = Self { least: 1, most: usize::MAX };

    /// Holds a number against the count.
    ///
    /// # Errors
    ///
    /// The number, in words that follow "but".
    pub fn judge(self, number: usize) -> Result<(), String> {
        match number {
            _ if (self.least..=self.most).contains(&number) => Ok(()),
            1 => Err("1 time".to_owned()),
            _ => Err(format!("{number} times")),
        }
    }

    /// The count of something, such as "5 lines".
    fn of(self, thing: &str) -> String {
        match self {
            Self { least: 1, most: 1 } => format!("1 {thing}"),
            Self { least, most } if least == most => format!("{least} {thing}s"),
            Self { least, most: usize::MAX } => format!("{least} {thing}s or more"),
            Self { least, most } => format!("{least} to {most} {thing}s"),
        }
    }
}

/// How often, as it follows "has `text`".
impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ONCE_OR_MORE => f.write_str("at least once"),
            Self { least: 1, most: 1 } => f.write_str("once"),
            _ => f.write_str(&self.of("time")),
        }
    }
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

impl Display for PythonVersion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for PythonVersion {
    type Err = String;

    /// Reads `3.6`, also out of `3.6.15`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self(major, minor)),
            _ => Err(format!("`{text}` is not a version of Python such as \"3.6\"")),
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

fn quoted(texts: &[impl Display]) -> String {
    texts.iter().map(code).collect::<Vec<_>>().join(", ")
}

fn code(text: impl Display) -> String {
    format!("{CODE}{text}{CODE}")
}

fn or(values: &[impl Display]) -> String {
    values.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "ends = 1\nexit = 0\n";

    /// The message and the text that it is about.
    #[track_caller]
    fn mistake(toml: &str) -> (String, String) {
        let mistake = Scenario::parse(toml).expect_err("a mistake");
        (mistake.message, mistake.span.map(|span| toml[span].to_owned()).unwrap_or_default())
    }

    #[track_caller]
    fn rows(toml: &str) -> Vec<String> {
        let scenario = Scenario::parse(toml).unwrap_or_else(|mistake| panic!("{mistake:?}"));
        scenario.promises().map(|(_, promise)| promise.to_string()).collect()
    }

    #[test]
    fn unknown_keys_are_refused_in_every_table() {
        for table in [
            "",
            "[[stdout]]\n",
            "[[file]]\n",
            "[[send]]\n",
            "[[request]]\n",
            "[[either]]\n",
            "[again]\n",
        ] {
            let (message, place) = mistake(&format!("{LEAST}{table}tines = 4"));
            assert!(message.starts_with("unknown field `tines`"), "{message}");
            assert_eq!(place, "tines");
        }
    }

    #[test]
    fn wrong_types_are_refused_where_they_stand() {
        for (toml, place) in [
            ("ends = \"soon\"\nexit = 0", "\"soon\""),
            ("ends = -1\nexit = 0", "-1"),
            ("ends = 1e19\nexit = 0", "1e19"),
            ("ends = 1\nexit = \"zero\"", "\"zero\""),
            ("ends = 1\nexit = []", "[]"),
            ("ends = 1\nsignal = \"TERM\"", "\"TERM\""),
            ("ends = 1\nexit = 0\nprofile = \"release\"", "\"release\""),
            ("ends = 1\nexit = 0\npython = \"three\"", "\"three\""),
            ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"x\"\ntimes = [5, 3]", "[5, 3]"),
            ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"x\"\ntimes = -1", "-1"),
            ("ends = 1\nexit = 0\n[[stdout]]\nsays = \"x\"", "\"x\""),
        ] {
            assert_eq!(mistake(toml).1, place, "{toml}: {}", mistake(toml).0);
        }
    }

    #[test]
    fn what_says_nothing_or_contradicts_itself_is_refused() {
        for (toml, message) in [
            ("exit = 0", "missing field `ends`"),
            ("ends = 1", "how does it end?"),
            ("ends = 1\nexit = 0\nsignal = \"SIGTERM\"", "`exit` and `signal` exclude"),
            ("ends = \"never\"\nexit = 0", "a program that never ends has no `exit`"),
            ("ends = 1\nexit = 0\n[[stdout]]\nthread = \"a\"", "give one of `says`"),
            ("ends = 1\nexit = 0\n[[stdout]]\nsays = []\nabsent = \"a\"", "give one of `says`"),
            (
                "ends = 1\nexit = 0\n[[stdout]]\nsays = []\ntimes = 2",
                "`times` and `figure` go with",
            ),
            ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"{}\"", "`has` with one `{}` needs"),
            ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"a\"\nfigure = [1, 2]", "`has` with one"),
            ("ends = 1\nexit = 0\n[[file]]\npath = \"a\"", "nothing is promised of `a`"),
            ("ends = 1\nexit = 0\n[[file]]\npath = \"a\"\ntimes = 1", "`times` goes with `has`"),
            ("ends = 1\nexit = 0\n[[send]]\nsignal = \"SIGINT\"", "a signal is sent either"),
            ("ends = 1\nexit = 0\n[[request]]\nget = \"/\"\nanswer = 200", "a request is made"),
            ("ends = 1\nexit = 0\n[[request]]\nat = 0\nanswer = 200", "a request has a path"),
            (
                "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"a b\"\nanswer = 200",
                "a path begins with `/`",
            ),
            ("ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"", "give one of `answer`"),
            (
                "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"\ncut = true\nhas = \"a\"",
                "give one of `answer`",
            ),
            (
                "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"\nanswer = 200\ntakes = [2, 1]",
                "`takes` is a range",
            ),
            ("ends = 1\n[[either]]\nexit = 0", "`either` needs two"),
            ("ends = 1\n[[either]]\nexit = 0\n[[either]]", "how does it end?"),
            (
                "ends = 1\nexit = 0\ntwice = true\n[again]\nends = 1\nexit = 0",
                "`twice` and `again`",
            ),
            ("ends = 1\nexit = 0\n[again]\nname = \"a\"\nends = 1\nexit = 0", "`again` says how"),
            (
                "ends = 1\nexit = 0\n[again]\nfeature = \"a\"\nends = 1\nexit = 0",
                "`again` says how",
            ),
            ("ends = 1\nexit = 0\nname = \"../a\"", "a `name` has small letters"),
            ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"a\\nb\"", "a line holds no line feed"),
            ("ends = 1\nexit = 0\n[[stdout]]\nthread = \"a b\"\nsays = []", "a thread's name has"),
            ("ends = 1\nexit = 0\n[[file]]\npath = \"/etc/x\"\nexists = true", "a file is named"),
            ("ends = 1\nexit = 0\n[[file]]\npath = \"../x\"\nexists = true", "a file is named"),
            ("ends = \"never\"\nleaves = 1", "only a program that ends"),
            ("ends = 1\nexit = 0\nprogram = \"a.py\"", "a Python program needs `python`"),
            ("ends = 1\nexit = 0\nstarter_breaks = []", "`starter_breaks` is empty"),
            ("ends = 1\nexit = 0\nname = \"a\"\nstarter_breaks = [\"ends\"]", "an exercise has no"),
        ] {
            let found = mistake(toml).0;
            assert!(found.starts_with(message), "{toml}: {found}");
        }
    }

    #[test]
    fn a_starter_breaks_only_what_is_promised() {
        let (message, place) =
            mistake("ends = 1\nexit = 0\nstarter_breaks = [\"ends\", \"stdout has beat\"]");
        assert_eq!(
            message,
            "`starter_breaks` names `stdout has beat`, which this block does not promise; \
             it promises `ends`, `exit`"
        );
        assert_eq!(place, "\"stdout has beat\"");
    }

    #[test]
    fn promises_read_as_sentences() {
        let toml = r#"
            ends = 3.5
            exit = [0, 3]
            leaves = 1
            stdout = [
                { says = ["a", "b"] },
                { thread = "main", says = [] },
                { order = ["a", "b"] },
                { has = "beat", times = 4 },
                { has = "took {} s", figure = [1, 2.5], times = [1, 3] },
                { absent = "panicked" },
            ]
            [[file]]
            path = "out.txt"
            exists = true
            lines = [45, 56]
            whole = false
            contents = "a\nb\n"
            has = "a"
            times = 1
            absent = "c"
            [[request]]
            get = "/orders"
            at = 0.5
            answer = 200
            has = "sold"
            takes = [1, 2.5]
            [[request]]
            post = "/orders"
            after = "stopping"
            refused = true
        "#;
        assert_eq!(
            rows(toml),
            [
                "ends 3.5 s after the start (at most 0.5 s later)",
                "exits with code 0 or 3",
                "stdout is exactly, in this order: `a`, `b`",
                "thread `main` on stdout logs nothing",
                "stdout has in this order, among others: `a`, `b`",
                "stdout has `beat` 4 times",
                "stdout has `took … s` (a number from 1 to 2.5) 1 to 3 times",
                "stdout does not have `panicked`",
                "`out.txt` exists",
                "`out.txt` has 45 to 56 lines",
                "`out.txt` ends with a torn line",
                "`out.txt` is exactly: `a`, `b`",
                "`out.txt` has `a` once",
                "`out.txt` does not have `c`",
                "`GET /orders` asked 0.5 s after its first line, is answered with status 200 and \
                 `sold` after 1 to 2.5 s",
                "`POST /orders` asked after the line `stopping`, is refused: nobody takes the \
                 connection",
                "leaves 1 process behind, which the check ends",
            ]
        );
        let toml = "ends = \"never\"\n[[stdout]]\nhas = \"a\"";
        assert_eq!(
            rows(toml),
            [
                "never ends: it is alive 2 s after the last line below, and the check ends it",
                "stdout has `a` at least once",
            ]
        );
        let toml = "ends = 1\n[[either]]\nexit = 0\n[[either]]\nsignal = \"SIGTERM\"";
        assert_eq!(rows(toml)[1], "exits with code 0; or is ended by SIGTERM");
    }

    #[test]
    fn twice_is_the_same_run_again() {
        let scenario = Scenario::parse("ends = 2\nexit = 0\ntwice = true").expect("a scenario");
        assert_eq!(scenario.runs.len(), 2);
        assert_eq!(scenario.duration(), Duration::from_secs(4));
    }
}
