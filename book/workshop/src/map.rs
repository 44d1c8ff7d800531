//! The map of the book: each part with its lessons, as the questions that they answer.

use std::fmt::Write;
use std::path::Path;

use mdbook_preprocessor::book::{Book, BookItem};

use workbook::workbook::Workbook;

use crate::pages::{Length, Lengths, minutes};

/// The line of a page that the map stands in for.
pub const DIRECTIVE: &str = "{{#map}}";

/// The map as Markdown: the minutes of the whole book; for each part of the book its minutes; for
/// each lesson its question, which links to the chapter, its title and its minutes, and below it the
/// same of its deeper pages.
pub fn map(book: &Book, workbook: &Workbook, counts: &Lengths) -> String {
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

    let mut map = String::new();
    let all: Vec<_> = parts.iter().flat_map(|part| &part.entries).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(map, "The {} lessons take {}.", lessons(&all), times(&all));
    for Part { title, entries } in &parts {
        let entries: Vec<_> = entries.iter().collect();
        let (lessons, times) = (lessons(&entries), times(&entries));
        let _ = writeln!(map, "\n## {title}\n\n*{lessons} lessons: {times}.*\n");
        for Entry { question, title, path, to_read, to_do } in entries {
            let path = path.display().to_string();
            let read = minutes(*to_read);
            let _ = match to_do {
                // The directory of a lesson, and so its chapter's name, begins with its number.
                Some(to_do) => writeln!(
                    map,
                    "- [{question}]({path})\n\n  \
                     Lesson {}, *{title}*: {read} to read, {to_do} to do.\n",
                    path[..2].trim_start_matches('0')
                ),
                None => {
                    writeln!(map, "  - [{question}]({path})\n\n    *{title}*: {read} to read.\n")
                }
            };
        }
    }
    map
}

/// A part of the book with the pages of its lessons, in reading order.
struct Part<'a> {
    title: &'a str,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    question: &'a str,
    title: &'a str,
    /// The page, relative to the others.
    path: &'a Path,
    to_read: u32,
    /// Of a lesson's own page.
    to_do: Option<u32>,
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
    use super::hours;

    #[test]
    fn long_times_are_told_in_hours() {
        assert_eq!([40, 60, 275].map(hours), ["40 minutes", "1 h", "4 h 35 min"]);
    }
}
