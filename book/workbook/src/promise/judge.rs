//! Holds promises against what a program did, and says why one is not kept.
//!
//! Each promise is a [`Rule`] over plain values, and through [`Kept`] a predicate whose case has the
//! reason: [`Promise::but`] asks it here, the self-check hangs it into an assertion.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lesson_log::LogLine;
use nix::sys::signal::Signal;
use predicates_core::Predicate;
use predicates_core::reflection::{Case, PredicateReflection, Product};

use super::{
    APART, Answer, Count, Ends, Exit, FilePromise, LinePromise, Lines, Promise, Run, Stream,
    TOLERANCE, in_seconds,
};

/// A program has to print its first line within this time after it was started.
pub const FIRST_OUTPUT: Duration = Duration::from_secs(2);

/// The most bytes of a file that are held against its promises. No chapter promises one of this size.
const MOST_OF_A_FILE: u64 = 8 << 20;

/// What a program did in one run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// How the run ended.
    pub end: End,
    /// How the process ended; by `SIGKILL` if the check ended it.
    pub exit: Exit,
    /// What it printed on standard output.
    pub stdout: Vec<u8>,
    /// What it printed on standard error.
    pub stderr: Vec<u8>,
    /// The time from the start to its first output, if that came later than [`FIRST_OUTPUT`].
    pub silent: Option<Duration>,
    /// Texts that a signal was to follow and that were never printed.
    pub unsent: Vec<String>,
    /// What became of the requests, in their order.
    pub asked: Vec<Asked>,
    /// What it sent to the process that runs it.
    pub signals: BTreeSet<Signal>,
    /// The processes that outlived the program, by command line.
    pub left_behind: Vec<String>,
    /// What a program that ended by itself has left in the directory for temporary files.
    pub temporary: Vec<String>,
    /// Where it ran, and left its files.
    pub directory: PathBuf,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The program ended.
    Ended {
        /// From before the program was started. It is never shorter than the program's own time.
        since_start: Duration,
        /// From its first output. It leaves out what the start of a process takes on a busy
        /// machine.
        since_output: Duration,
    },
    /// The check ended it at its deadline, or because it printed without end, this long after the
    /// start.
    Hung(Duration),
    /// It was to be alive [`STILL_ALIVE`](super::STILL_ALIVE) after its last expected line, and was.
    Alive,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It was never made: the program had not printed what it was to follow, or no address.
    Never,
    /// Nobody took the connection.
    Refused,
    /// The connection ended before the answer was complete.
    Cut,
    /// There was no complete answer within this time.
    TooLate(Duration),
    /// Something else, in the client's words.
    Failed(String),
    /// The answer is complete.
    Answered {
        /// Its status.
        status: u16,
        /// Its text.
        body: String,
        /// From before the connection was made until the answer was complete.
        took: Duration,
    },
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

/// What is promised of a value, with a reason where it is not kept.
pub trait Rule<Item: ?Sized> {
    /// Why the value breaks it, in words that follow "but"; nothing if it keeps it.
    fn but(&self, item: &Item) -> Option<String>;
}

/// A [`Rule`] as a predicate: of a value that breaks it, the case has the reason as its product.
#[derive(Debug)]
pub struct Kept<'a, R: ?Sized>(pub &'a R);

impl<R: ?Sized> Clone for Kept<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: ?Sized> Copy for Kept<'_, R> {}

impl<R: ?Sized> Display for Kept<'_, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("as promised")
    }
}

impl<R: ?Sized> PredicateReflection for Kept<'_, R> {}

impl<R: Rule<Item> + ?Sized, Item: ?Sized> Predicate<Item> for Kept<'_, R> {
    fn eval(&self, item: &Item) -> bool {
        self.0.but(item).is_none()
    }

    fn find_case<'a>(&'a self, expected: bool, item: &Item) -> Option<Case<'a>> {
        let but = self.0.but(item);
        let case = Case::new(Some(self), but.is_none());
        (but.is_none() == expected).then(|| {
            but.into_iter().fold(case, |case, but| case.add_product(Product::new("but", but)))
        })
    }
}

/// The reason of a value's case, in words that follow "but", where a predicate does not hold of it.
pub fn reason<Item: ?Sized>(predicate: &impl Predicate<Item>, item: &Item) -> Option<String> {
    let case = predicate.find_case(false, item)?;
    Some(case.products().map(|product| product.value().to_string()).collect())
}

impl Promise {
    /// Why a run does not keep this promise, in words that follow "but"; nothing if it does.
    pub fn but(&self, ran: &Ran) -> Option<String> {
        match self {
            Self::Ends(ends) => reason(&Kept(ends), &ran.end),
            // A program that the check had to end has no exit of its own; `ends` tells that.
            Self::Exit(_) if !ran.end.is_its_own() => None,
            Self::Exit(exit) => reason(&Kept(exit), &ran.exit),
            Self::Leaves(count) => reason(&Kept(count), &*ran.left_behind),
            Self::Lines(stream, lines) => reason(&Kept(lines), ran.printed(*stream)),
            Self::File(path, what) => reason(&Kept(what), &*ran.directory.join(path)),
            Self::Request(request) => reason(&Kept(&request.answer), &ran.asked[request.number]),
        }
    }
}

impl Ran {
    /// All that it printed on a stream.
    pub fn printed(&self, stream: Stream) -> &[u8] {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    /// All that is not as promised.
    pub fn breaks(&self, promised: &Run) -> Vec<Broken> {
        self.broken(promised, |promise| promise.but(self))
    }

    /// All that is not as promised, in the order of the chapter, and then what every run has to keep.
    /// `but` judges one promise.
    pub fn broken(
        &self,
        promised: &Run,
        mut but: impl FnMut(&Promise) -> Option<String>,
    ) -> Vec<Broken> {
        let promises = promised.promises.iter();
        let mut broken: Vec<_> = promises
            .filter_map(|promise| {
                let but = but(promise)?;
                Some(Broken { id: promise.id(), promised: promise.to_string(), but })
            })
            .collect();
        let mut always = |promised: String, but: String| {
            broken.push(Broken { id: promised.clone(), promised, but });
        };
        if let Some(silent) = self.silent {
            let promised = format!("prints something within {}", in_seconds(FIRST_OUTPUT));
            always(promised, format!("its first output came after {:.3} s", silent.as_secs_f64()));
        }
        for text in &self.unsent {
            let promised = format!("prints `{text}`, after which it gets a signal");
            always(promised, "there is no such line".to_owned());
        }
        if !self.signals.is_empty() {
            let promised = "sends no signal to its parent, which is the check".to_owned();
            let signals: Vec<_> = self.signals.iter().map(|signal| signal.as_str()).collect();
            always(promised, format!("it sent {}", signals.join(", ")));
        }
        let leaves = promised.promises.iter().any(|one| matches!(one, Promise::Leaves(_)));
        if !leaves && let Some(but) = Promise::Leaves(0).but(self) {
            always(Promise::Leaves(0).to_string(), but);
        }
        if !self.temporary.is_empty() {
            let promised = "leaves nothing in the directory for temporary files".to_owned();
            always(promised, format!("there is {}", self.temporary.join(", ")));
        }
        broken
    }
}

impl Run {
    /// Whether everything that these promises want to see printed has been printed.
    pub fn has_printed_all(&self, stdout: &[u8], stderr: &[u8]) -> bool {
        self.promises.iter().all(|promise| match promise {
            Promise::Lines(_, LinePromise { what: Lines::Absent(_), .. }) => true,
            Promise::Lines(Stream::Stdout, lines) => lines.but(stdout).is_none(),
            Promise::Lines(Stream::Stderr, lines) => lines.but(stderr).is_none(),
            _ => true,
        })
    }
}

impl End {
    /// Whether the program ended, and not the check.
    pub fn is_its_own(self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// Whether it came too late to be right and too early to be wrong: a run that tells of the machine.
    pub fn is_undecided(self, promised: Ends) -> bool {
        match (promised, self) {
            (Ends::At(time), Self::Ended { since_output, .. }) => {
                since_output > time + TOLERANCE && since_output < time + APART
            }
            _ => false,
        }
    }
}

/// Seconds, with each millisecond that has begun: rounded down, what was too late would read like what
/// is promised. What was too early is rounded down.
fn millis_begun(time: Duration) -> f64 {
    time.as_micros().div_ceil(1000) as f64 / 1e3
}

impl Rule<End> for Ends {
    fn but(&self, end: &End) -> Option<String> {
        match (*self, *end) {
            (Self::Never, End::Alive) => None,
            (Self::Never, End::Hung(after)) => Some(format!(
                "after {:.3} s it had not printed just what is promised, and the check ended it",
                after.as_secs_f64()
            )),
            (_, End::Hung(after)) => Some(format!(
                "it was still running after {:.3} s, and the check ended it",
                after.as_secs_f64()
            )),
            (Self::At(time), End::Ended { since_start, .. }) if since_start < time => Some(
                format!("it ended too early: after {:.3} s", since_start.as_millis() as f64 / 1e3),
            ),
            (Self::At(time), End::Ended { since_output, .. })
                if since_output > time + TOLERANCE =>
            {
                Some(format!("it ended after {:.3} s", millis_begun(since_output)))
            }
            (Self::At(_), End::Ended { .. }) => None,
            (Self::Never, End::Ended { since_start, .. }) => {
                Some(format!("it ended after {:.3} s", millis_begun(since_start)))
            }
            // Only a run that is to go on for ever is ended while all is well.
            (Self::At(_), End::Alive) => Some("the check ended it too early".to_owned()),
        }
    }
}

impl Rule<Exit> for Exit {
    fn but(&self, found: &Exit) -> Option<String> {
        match found {
            same if same == self => None,
            Exit::Code(_) => Some(format!("it exited with {found}")),
            Exit::Signal(_) => Some(format!("it was ended by {found}")),
        }
    }
}

/// Of the exit code of a program that was not ended by a signal.
impl Rule<i32> for Exit {
    fn but(&self, code: &i32) -> Option<String> {
        self.but(&Exit::Code(*code))
    }
}

/// How many processes are left behind, of these.
impl Rule<[String]> for usize {
    fn but(&self, left: &[String]) -> Option<String> {
        match left {
            left if left.len() == *self => None,
            [] => Some("there is none".to_owned()),
            left => Some(format!("there is {}", left.join(", "))),
        }
    }
}

/// Of the whole text of its stream.
impl Rule<[u8]> for LinePromise {
    fn but(&self, printed: &[u8]) -> Option<String> {
        let texts = texts(&String::from_utf8_lossy(printed), self.thread.as_deref());
        match &self.what {
            Lines::Says(expected) if *expected == texts => None,
            Lines::Says(expected) => Some(difference(expected, &texts)),
            Lines::Order(expected) => {
                let mut rest = texts.iter();
                match expected.iter().position(|text| !rest.any(|line| line == text))? {
                    0 => Some(format!("`{}` is not there", expected[0])),
                    index => Some(format!(
                        "`{}` does not come after `{}`",
                        expected[index],
                        expected[index - 1]
                    )),
                }
            }
            Lines::Has(pattern, count) => {
                let times = texts.iter().filter(|line| pattern.matches(line)).count();
                let mut others = texts.iter().flat_map(|line| pattern.figures(line));
                let but = count.but(&times)?;
                match others.next() {
                    Some(figure) if times == 0 => Some(format!("the number is {figure}")),
                    _ => Some(but),
                }
            }
            Lines::Absent(text) => {
                Count::ZERO.but(&texts.iter().filter(|line| line.contains(text)).count())
            }
        }
    }
}

impl Rule<usize> for Count {
    fn but(&self, number: &usize) -> Option<String> {
        match number {
            number if (self.least..=self.most).contains(number) => None,
            1 => Some("1 time".to_owned()),
            _ => Some(format!("{number} times")),
        }
    }
}

/// Of the file with this path.
impl Rule<Path> for FilePromise {
    fn but(&self, path: &Path) -> Option<String> {
        let is_there = path.exists();
        match self {
            Self::Exists(false) if path.is_symlink() => {
                return Some("it is there, as a link".to_owned());
            }
            Self::Exists(wanted) if *wanted == is_there => return None,
            Self::Exists(false) => return Some("it is there".to_owned()),
            _ if !is_there => return Some("there is no such file".to_owned()),
            // To open a pipe would wait for its other end.
            _ if !path.is_file() => return Some("it is there, but no file".to_owned()),
            _ => {}
        }
        let bytes = match beginning(path) {
            Ok(bytes) if bytes.len() as u64 > MOST_OF_A_FILE => {
                let mib = fs::metadata(path).map_or(0, |file| file.len() >> 20);
                return Some(format!("it has {mib} MiB, which is more than any promise allows"));
            }
            Ok(bytes) => bytes,
            Err(error) => return Some(format!("it cannot be read: {error}")),
        };
        let text = String::from_utf8_lossy(&bytes);
        let times =
            |part: &str| texts(&text, None).iter().filter(|line| line.contains(part)).count();
        match self {
            Self::Exists(_) => None,
            Self::Lines(count) => {
                let whole = text.matches('\n').count();
                count.but(&whole).map(|_| format!("it has {whole}"))
            }
            Self::Whole(wanted) => match (wanted, text.is_empty() || text.ends_with('\n')) {
                (true, false) => {
                    Some(format!("it ends with `{}`", text.lines().next_back().unwrap_or_default()))
                }
                (false, true) => Some("it is whole".to_owned()),
                _ => None,
            },
            Self::Contents(wanted) if *wanted == text => None,
            Self::Contents(_) if text.is_empty() => Some("it is empty".to_owned()),
            Self::Contents(_) => Some(format!("it is {text:?}")),
            Self::Has(part, count) => count.but(&times(part)),
            Self::Absent(part) => {
                Count::ZERO.but(&times(part)).map(|times| format!("it has, {times}"))
            }
        }
    }
}

/// A file, or a byte more of it than is looked at.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_OF_A_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Rule<Asked> for Answer {
    fn but(&self, asked: &Asked) -> Option<String> {
        let is_kept = match (self, asked) {
            (Self::Refused, Asked::Refused) | (Self::Cut, Asked::Cut) => true,
            (Self::Whole { status, has, takes }, Asked::Answered { status: found, body, took }) => {
                let took = took.as_secs_f64();
                status == found
                    && takes.is_none_or(|(least, most)| (least..=most).contains(&took))
                    && has.as_ref().is_none_or(|text| body.contains(text))
            }
            _ => false,
        };
        (!is_kept).then(|| asked.to_string())
    }
}

/// In words that follow "but".
impl Display for Asked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("it was not asked: the program had not printed that yet"),
            Self::Refused => f.write_str("the connection was refused"),
            Self::Cut => f.write_str("the connection ended before the answer was complete"),
            Self::TooLate(time) => write!(f, "there was no answer within {} s", time.as_secs()),
            Self::Failed(error) => write!(f, "the client says: {error}"),
            Self::Answered { status, body, took } => {
                let took = took.as_secs_f64();
                write!(f, "it was answered with status {status} after {took:.3} s")?;
                match body.trim_end() {
                    "" => f.write_str(" and no text"),
                    text => write!(f, " and the text {text:?}"),
                }
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
