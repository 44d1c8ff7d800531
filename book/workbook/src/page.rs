//! A page of the book as it is written: what it opens with, its blocks, and the lines that stand for
//! something.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Error, anyhow};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::exam::Exam;
use crate::measured::Measured;
use crate::outcomes::Outcomes;
use crate::promise::{Mistake, Scenario};

/// A page, read once.
#[derive(Debug)]
pub struct Page {
    /// Relative to the root, such as `book/chapters/02-heartbeat.md`.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
    /// The text of its first heading.
    pub title: String,
    /// The question that stands below the title as `*Why …?*`, if one does.
    pub question: Option<String>,
    /// The line `{{#minutes}}` or `{{#minutes 10}}`: how long it takes to read, which the build counts,
    /// and the minutes that its programs and its exercise take besides.
    pub minutes: Option<Block<Option<u32>>>,
    /// Its `promise` blocks.
    pub promises: Vec<Block<Scenario>>,
    /// Its `measured` blocks: figures that it tells without promising them.
    pub measured: Vec<Block<Measured>>,
    /// Its `outcomes` blocks: tables that show several scenarios side by side.
    pub outcomes: Vec<Block<Outcomes>>,
    /// Its `exam` blocks, which stand where a lesson's exercise has to pass an exam.
    pub exams: Vec<Block<Exam>>,
    /// The recordings that it shows.
    pub shown: Vec<Block<Shown>>,
    /// Where its links lead, as they are written.
    pub links: Vec<String>,
}

/// What stands in a page in the place of something else: a fenced block of TOML, or a line.
#[derive(Clone, Debug)]
pub struct Block<T> {
    /// The line of its opening fence, or its own.
    pub place: Place,
    /// The bytes of the page that it takes, fences included.
    pub range: Range<usize>,
    /// What it says.
    pub says: T,
}

/// A line that shows recordings: `{{#recording heartbeat heartbeat::joined}}` draws them above one
/// another on one time axis, `{{#log heartbeat 3}}` has the first lines of one's log.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The scenarios whose recordings are shown.
    pub scenarios: Vec<String>,
    /// Only so many lines of the log, and no picture.
    pub lines: Option<usize>,
}

/// A line of a file, as `book/chapters/02-heartbeat.md:26`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the root.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Something that is wrong with the workbook, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A file or directory, relative to the root.
    pub path: PathBuf,
    /// The line, counted from 1, if it is about one.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// One that is about a file or a directory as a whole.
    pub fn of(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into() }
    }

    /// One that is about a line.
    pub fn at(place: &Place, message: impl Into<String>) -> Self {
        let Place { path, line } = place.clone();
        Self { path, line: Some(line), message: message.into() }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// Everything that is wrong, one line each.
pub fn all_of(problems: Vec<Problem>) -> Error {
    anyhow!(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
}

/// Reads a page.
///
/// # Errors
///
/// Each mistake with its line: a block that is not what it should be, a line that stands for something
/// and is not written so.
pub fn read(path: &Path, text: String) -> Result<Page, Vec<Problem>> {
    let mut page = Page {
        path: path.to_owned(),
        title: String::new(),
        question: question(&text),
        minutes: None,
        promises: Vec::new(),
        measured: Vec::new(),
        outcomes: Vec::new(),
        exams: Vec::new(),
        shown: Vec::new(),
        links: Vec::new(),
        text,
    };
    let mut problems = page.blocks();
    problems.extend(page.lines());
    if problems.is_empty() { Ok(page) } else { Err(problems) }
}

impl Page {
    /// Fills in what the Markdown has; gives what is wrong with it.
    fn blocks(&mut self) -> Vec<Problem> {
        let (mut problems, mut title, mut links) = (Vec::new(), None, Vec::new());
        let mut open: Option<(String, Range<usize>, String)> = None;
        let mut is_title = false;
        let text = std::mem::take(&mut self.text);
        for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) if title.is_none() => {
                    is_title = true;
                    title = Some(String::new());
                }
                Event::End(TagEnd::Heading(_)) => is_title = false,
                Event::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.into_string()),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    open = Some((info.into_string(), range, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((info, range, source)) = open.take() {
                        let place = self.place(&text, range.start);
                        problems.extend(self.block(&info, place, range, &source).err());
                    }
                }
                Event::Text(part) | Event::Code(part) => {
                    if let (true, Some(title)) = (is_title, &mut title) {
                        title.push_str(&part);
                    }
                    if let Some((.., source)) = &mut open {
                        source.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        (self.text, self.title, self.links) = (text, title.unwrap_or_default(), links);
        problems
    }

    /// Takes a fenced block, if it is one of ours.
    fn block(
        &mut self,
        info: &str,
        place: Place,
        range: Range<usize>,
        source: &str,
    ) -> Result<(), Problem> {
        match info {
            "promise" => self.promises.push(block(Scenario::parse, place, range, source)?),
            "measured" => self.measured.push(block(Measured::parse, place, range, source)?),
            "outcomes" => self.outcomes.push(block(Outcomes::parse, place, range, source)?),
            "exam" => self.exams.push(block(Exam::parse, place, range, source)?),
            _ => {
                let info = info.trim();
                let kinds = ["promise", "measured", "outcomes", "exam"];
                let is_like = |kind: &&&str| info.to_lowercase().starts_with(**kind);
                if let Some(kind) = kinds.iter().find(is_like) {
                    let message = format!("` ```{info}` is not checked; write ` ```{kind}`");
                    return Err(Problem::at(&place, message));
                }
            }
        }
        Ok(())
    }

    /// Takes the lines that stand for something; gives those that are not written as they should be.
    fn lines(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut start = 0;
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            let text = line.trim_end();
            let range = start..start + text.len();
            start += line.len();
            let words = text.strip_prefix("{{#").and_then(|rest| rest.strip_suffix("}}"));
            let words: Vec<&str> = words.unwrap_or_default().split_whitespace().collect();
            let place = Place { path: self.path.clone(), line: index + 1 };
            let (scenarios, lines) = match words[..] {
                ["recording", ref names @ ..] if !names.is_empty() => (names.to_vec(), None),
                ["log", name, lines] if lines.parse::<usize>().is_ok() => {
                    (vec![name], lines.parse().ok())
                }
                ["recording" | "log", ..] => {
                    let message =
                        "write `{{#recording <scenario>…}}` or `{{#log <scenario> <lines>}}`";
                    problems.push(Problem::at(&place, message));
                    continue;
                }
                ["minutes", ref to_do @ ..] => {
                    let says = match to_do {
                        [] => Ok(None),
                        [minutes] => minutes.parse().map(Some).map_err(|_| ()),
                        _ => Err(()),
                    };
                    match (says, &self.minutes) {
                        (Ok(says), None) => self.minutes = Some(Block { place, range, says }),
                        _ => {
                            let message = "write `{{#minutes}}` or `{{#minutes 10}}`, once a page";
                            problems.push(Problem::at(&place, message));
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            let scenarios = scenarios.into_iter().map(str::to_owned).collect();
            self.shown.push(Block { place, range, says: Shown { scenarios, lines } });
        }
        problems
    }

    fn place(&self, text: &str, byte: usize) -> Place {
        Place { path: self.path.clone(), line: line_of(text, byte) }
    }
}

fn block<T>(
    parse: impl Fn(&str) -> Result<T, Mistake>,
    place: Place,
    range: Range<usize>,
    source: &str,
) -> Result<Block<T>, Problem> {
    let says = parse(source).map_err(|Mistake { message, span }| {
        // A key that is missing from the block is told of its first line.
        let span = span.filter(|span| span.start > 0 || !message.starts_with("missing"));
        let line = place.line + span.map_or(0, |span| line_of(source, span.start));
        Problem::at(&Place { line, ..place.clone() }, message)
    })?;
    Ok(Block { place, range, says })
}

/// The question in the first line below the title.
fn question(text: &str) -> Option<String> {
    let below = text.lines().skip(1).find(|line| !line.is_empty())?;
    let question = below.strip_prefix('*')?.strip_suffix("?*")?;
    Some(format!("{question}?"))
}

/// The line that a byte of a text is on, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}
