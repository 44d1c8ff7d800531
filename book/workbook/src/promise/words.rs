//! Promises in words: for the tables of the book and the reports of the self-check.

use std::fmt::{self, Display, Formatter};

use nix::sys::signal::Signal;

use super::{
    Answer, Count, Ends, Exit, FilePromise, LinePromise, Lines, Pattern, Promise, Request,
    STILL_ALIVE, Stream, TOLERANCE, When, in_seconds,
};

/// Words for a reader. A report has the code in them between backticks, a page as code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<Piece>);

/// A piece of [`Words`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain words.
    Text(String),
    /// Code, as it is written; it may itself have backticks.
    Code(String),
}

impl Words {
    /// Words as an author writes them: code stands between backticks.
    pub fn marked(text: &str) -> Self {
        text.split('`').enumerate().fold(Self::default(), |words, (index, part)| {
            if index % 2 == 1 { words.code(part) } else { words.text(part) }
        })
    }

    /// These words, and then some plain ones.
    pub fn text(mut self, text: impl Display) -> Self {
        self.0.push(Piece::Text(text.to_string()));
        self
    }

    /// These words, and then some code.
    pub fn code(mut self, code: impl Display) -> Self {
        self.0.push(Piece::Code(code.to_string()));
        self
    }

    /// These words, and then others.
    pub fn then(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Code(code) => write!(f, "`{code}`"),
        })
    }
}

fn text(text: impl Display) -> Words {
    Words::default().text(text)
}

fn code(code: impl Display) -> Words {
    Words::default().code(code)
}

/// Pieces of code with commas between them.
pub(super) fn listing(texts: &[impl Display]) -> Words {
    texts.iter().enumerate().fold(Words::default(), |words, (index, text)| {
        if index == 0 { words.code(text) } else { words.text(", ").code(text) }
    })
}

impl Promise {
    /// What the promise is about: the first column of the table.
    pub fn subject(&self) -> Words {
        match self {
            Self::Ends(_) | Self::Exit(_) | Self::Leaves(_) => text("the program"),
            Self::Lines(stream, LinePromise { thread: None, .. }) => text(stream),
            Self::Lines(stream, LinePromise { thread: Some(thread), .. }) => {
                text("thread ").code(thread).text(format!(" on {stream}"))
            }
            Self::File(path, _) => code(path),
            Self::Request(request) => code(request),
        }
    }

    /// What is promised of the subject, in one clause.
    pub fn words(&self) -> Words {
        match self.listed() {
            Some((words, lines)) => text(words).text(": ").then(listing(&lines)),
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

    fn unlisted(&self) -> Words {
        match self {
            Self::Ends(Ends::At(time)) => text(format!(
                "ends {} after the start (at most {} later)",
                in_seconds(*time),
                in_seconds(TOLERANCE)
            )),
            Self::Ends(Ends::Never) => text(format!(
                "never ends: it is alive {} after the last line below, and the check ends it",
                in_seconds(STILL_ALIVE)
            )),
            Self::Exit(exit @ Exit::Code(_)) => text(format!("exits with {exit}")),
            Self::Exit(exit @ Exit::Signal(_)) => text(format!("is ended by {exit}")),
            Self::Leaves(0) => text("leaves no process behind"),
            Self::Leaves(1) => text("leaves 1 process behind, which the check ends"),
            Self::Leaves(count) => {
                text(format!("leaves {count} processes behind, which the check ends"))
            }
            Self::Lines(_, LinePromise { thread, what }) => match what {
                Lines::Says(_) | Lines::Order(_) if thread.is_some() => text("logs nothing"),
                Lines::Says(_) | Lines::Order(_) => text("is empty"),
                Lines::Has(pattern, count) => {
                    text("has ").then(pattern.words()).text(format!(" {count}"))
                }
                Lines::Absent(absent) => text("does not have ").code(absent),
            },
            Self::File(_, what) => match what {
                FilePromise::Exists(true) => text("exists"),
                FilePromise::Exists(false) => text("does not exist"),
                FilePromise::Lines(count) => text(format!("has {}", count.of("line"))),
                FilePromise::Whole(true) => text("ends with a whole line"),
                FilePromise::Whole(false) => text("ends with a torn line"),
                FilePromise::Contents(_) => text("is empty"),
                FilePromise::Has(part, count) => text("has ").code(part).text(format!(" {count}")),
                FilePromise::Absent(absent) => text("does not have ").code(absent),
            },
            Self::Request(Request { when, answer, .. }) => {
                text("asked ").then(when.words()).text(", ").then(answer.words())
            }
        }
    }
}

/// The promise as one clause, for a test's report.
impl Display for Promise {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines(..) | Self::File(..) | Self::Request(_) => {
                write!(f, "{} {}", self.subject(), self.words())
            }
            _ => self.words().fmt(f),
        }
    }
}

/// As in `code 3` and `SIGTERM`; a signal without a name has its number.
impl Display for Exit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => f.write_str(signal.as_str()),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

/// Its method and its path, as in `GET /health`.
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.posts { "POST" } else { "GET" }, self.path)
    }
}

impl When {
    /// As it follows "is sent".
    pub fn words(&self) -> Words {
        match self {
            Self::At(time) => text(format!("{} after its first line", in_seconds(*time))),
            Self::After(line) => text("after the line ").code(line),
        }
    }
}

impl Answer {
    /// As it follows the request.
    fn words(&self) -> Words {
        let Self::Whole { status, has, takes } = self else {
            return text(match self {
                Self::Cut => "is cut: the connection ends before the answer is complete",
                _ => "is refused: nobody takes the connection",
            });
        };
        let mut words = text(format!("is answered with status {status}"));
        if let Some(part) = has {
            words = words.text(" and ").code(part);
        }
        match takes {
            Some((least, most)) => words.text(format!(" after {least} to {most} s")),
            None => words,
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

impl Pattern {
    fn words(&self) -> Words {
        let words = code(self.filled("…"));
        match &self.figure {
            None => words,
            Some(((least, most), _)) => words.text(format!(" (a number from {least} to {most})")),
        }
    }
}

impl Count {
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
