//! The map of the book, each part with its lessons as the questions that they answer, and a short way
//! through it.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, anyhow};
use mdbook_preprocessor::book::{Book, BookItem, Chapter as BookChapter};

use workbook::workbook::Workbook;

use crate::pages::{Length, Lengths, minutes};

/// The line of a page that the map stands in for.
pub const DIRECTIVE: &str = "{{#map}}";

/// How the line of a page begins that a short way through the book stands in for; what follows is the
/// names of its pages, and `}}`.
pub const WAY: &str = "{{#way ";

/// What the map and a way tell of the pages: each part of the book with those that have a question.
#[derive(Debug)]
pub struct Map<'a> {
    parts: Vec<Part<'a>>,
}

/// A part of the book with the pages of its lessons, in reading order.
#[derive(Debug)]
struct Part<'a> {
    title: &'a str,
    entries: Vec<Entry<'a>>,
}

#[derive(Debug)]
struct Entry<'a> {
    question: &'a str,
    title: &'a str,
    /// The lesson's name, as it is typed.
    lesson: &'a str,
    /// As the list of pages has it: `1`, and `1.2` of a deeper page.
    number: String,
    /// The page, relative to the others.
    path: &'a Path,
    to_read: u32,
    /// Of a lesson's own page.
    to_do: Option<u32>,
}

impl<'a> Map<'a> {
    /// Finds the pages in the book, and how long each of them is.
    pub fn of(book: &'a Book, workbook: &'a Workbook, counts: &Lengths) -> Self {
        let mut parts: Vec<Part<'_>> = Vec::new();
        for item in book.iter() {
            match item {
                BookItem::PartTitle(title) => parts.push(Part { title, entries: Vec::new() }),
                BookItem::Chapter(chapter) => {
                    let Some(path) = &chapter.source_path else { continue };
                    let Some((page, Some(owner))) = workbook.page(path) else { continue };
                    let (Some(lesson), Some(question)) = (&owner.lesson, &page.question) else {
                        continue;
                    };
                    let is_own = page.path == owner.page().path;
                    if let Some(part) = parts.last_mut() {
                        part.entries.push(Entry {
                            question,
                            title: &chapter.name,
                            lesson: &owner.name,
                            number: number(chapter),
                            path,
                            to_read: counts.get(path).map_or(0, Length::minutes),
                            to_do: is_own.then_some(lesson.to_do),
                        });
                    }
                }
                BookItem::Separator => {}
            }
        }
        parts.retain(|part| !part.entries.is_empty());
        Self { parts }
    }

    /// The map as Markdown: the minutes of the whole book; for each part of the book its minutes; for
    /// each lesson its question, which links to the chapter, its number, name and minutes, and below it,
    /// one line each, those of its deeper pages.
    pub fn markdown(&self) -> String {
        let mut map = String::new();
        let all: Vec<_> = self.parts.iter().flat_map(|part| &part.entries).collect();
        // Writing to a string cannot fail.
        let takes = if lessons(&all) == 1 { "lesson takes" } else { "lessons take" };
        let _ = writeln!(map, "The {} {takes} {}.", lessons(&all), times(&all));
        for Part { title, entries } in &self.parts {
            let entries: Vec<_> = entries.iter().collect();
            let (lessons, times) = (lessons(&entries), times(&entries));
            let plural = if lessons == 1 { "" } else { "s" };
            let _ = writeln!(map, "\n## {title}\n\n*{lessons} lesson{plural}: {times}.*\n");
            for entry in entries {
                let path = entry.path.display();
                let Entry { question, number, lesson, .. } = entry;
                let read = minutes(entry.to_read);
                let _ = match entry.to_do {
                    Some(to_do) => writeln!(
                        map,
                        "- [{question}]({path})\\\n  *{number}, `{lesson}`: {read} to read, {to_do} to do*"
                    ),
                    None => writeln!(map, "  - [{question}]({path}) *{number}, {read}*"),
                };
            }
        }
        map
    }

    /// A way through some pages as Markdown, in place of the line that names them: of each its question,
    /// its title and its minutes to read, and below them the sum.
    ///
    /// # Errors
    ///
    /// If one of them is no page of a lesson.
    pub fn way(&self, line: &str) -> Result<String> {
        let names = line.strip_prefix(WAY).and_then(|rest| rest.strip_suffix("}}"));
        let names = names.ok_or_else(|| anyhow!("`{line}` does not end in `}}}}`"))?;
        let mut way = String::new();
        let mut sum = 0;
        for name in names.split_whitespace() {
            let entry = self.entry(Path::new(name));
            let entry = entry.ok_or_else(|| anyhow!("`{line}`: {name} is no page of a lesson"))?;
            let Entry { question, title, path, to_read, .. } = entry;
            let (path, read) = (path.display(), minutes(*to_read));
            let _ = writeln!(way, "1. [{question}]({path})\\\n   *{title}*, {read}");
            sum += to_read;
        }
        let _ = write!(way, "\n*Together {}.*", hours(sum));
        Ok(way)
    }

    fn entry(&self, path: &Path) -> Option<&Entry<'a>> {
        self.parts.iter().flat_map(|part| &part.entries).find(|entry| entry.path == path)
    }
}

/// In the list of pages, without the dot at its end.
fn number(chapter: &BookChapter) -> String {
    let number = chapter.number.as_ref().map(ToString::to_string).unwrap_or_default();
    number.trim_end_matches('.').to_owned()
}

fn lessons(entries: &[&Entry<'_>]) -> usize {
    entries.iter().filter(|entry| entry.to_do.is_some()).count()
}

/// How long some pages take together.
fn times(entries: &[&Entry<'_>]) -> String {
    let to_read = entries.iter().map(|entry| entry.to_read).sum();
    let to_do = entries.iter().filter_map(|entry| entry.to_do).sum();
    format!("{} to read, {} to do", hours(to_read), hours(to_do))
}

fn hours(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} minutes"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_told_in_hours() {
        assert_eq!([40, 60, 275].map(hours), ["40 minutes", "1 h", "4 h 35 min"]);
    }

    #[test]
    fn a_way_names_its_pages_and_their_minutes() {
        let entry = |question, path, to_read, to_do: Option<u32>| Entry {
            question,
            title: "T",
            lesson: "a",
            number: if to_do.is_some() { "1" } else { "1.1" }.to_owned(),
            path: Path::new(path),
            to_read,
            to_do,
        };
        let entries =
            vec![entry("Why?", "01-a.md", 9, Some(10)), entry("And then?", "01-a-b.md", 1, None)];
        let map = Map { parts: vec![Part { title: "P", entries }] };
        let way = map.way("{{#way 01-a-b.md 01-a.md}}").expect("two pages");
        let expected = "1. [And then?](01-a-b.md)\\\n   *T*, 1 minute\n\
                        1. [Why?](01-a.md)\\\n   *T*, 9 minutes\n\n*Together 10 minutes.*";
        assert_eq!(way, expected);
        let error = map.way("{{#way 02-c.md}}").expect_err("no such page");
        assert_eq!(error.to_string(), "`{{#way 02-c.md}}`: 02-c.md is no page of a lesson");
        let expected = "The 1 lesson takes 10 minutes to read, 10 minutes to do.\n\n## P\n\n\
                        *1 lesson: 10 minutes to read, 10 minutes to do.*\n\n\
                        - [Why?](01-a.md)\\\n  *1, `a`: 9 minutes to read, 10 to do*\n  \
                        - [And then?](01-a-b.md) *1.1, 1 minute*\n";
        assert_eq!(map.markdown(), expected);
    }
}
