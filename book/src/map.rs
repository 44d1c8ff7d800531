//! The map of the book: each part with its lessons, as the questions that they answer.

use std::fmt::Write;
use std::path::Path;

use mdbook_preprocessor::book::{Book, BookItem};

use workbook::workbook::{Study, Workbook};

/// The line of a page that the map stands in for.
pub const DIRECTIVE: &str = "{{#map}}";

/// The map as Markdown: the minutes of the whole book; for each part of the book its minutes; for
/// each lesson its question, which links to the chapter, its title and its minutes.
pub fn map(book: &Book, workbook: &Workbook) -> String {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for item in &book.items {
        match item {
            BookItem::PartTitle(title) => parts.push(Part { title, lessons: Vec::new() }),
            BookItem::Chapter(chapter) => {
                let Some(path) = &chapter.source_path else { continue };
                let lesson = workbook.lesson_of_page(path);
                let study = lesson.and_then(|lesson| lesson.study.as_ref());
                if let (Some(study), Some(part)) = (study, parts.last_mut()) {
                    part.lessons.push(Entry { study, title: &chapter.name, path });
                }
            }
            BookItem::Separator => {}
        }
    }
    parts.retain(|part| !part.lessons.is_empty());

    let mut map = String::new();
    let all = parts.iter().flat_map(|part| &part.lessons);
    // Writing to a string cannot fail.
    let _ = writeln!(map, "The {} lessons take {}.", all.clone().count(), minutes(all));
    for Part { title, lessons } in &parts {
        let _ =
            writeln!(map, "\n## {title}\n\n*{} lessons: {}.*\n", lessons.len(), minutes(lessons));
        for Entry { study, title, path } in lessons {
            let Study { question, to_read, to_do, .. } = study;
            // The directory of a lesson, and so its chapter's name, begins with its number.
            let path = path.display().to_string();
            let number = path[..2].trim_start_matches('0');
            let _ = writeln!(
                map,
                "- [{question}]({path})\n\n  \
                 Lesson {number}, *{title}*: {to_read} minutes to read, {to_do} to do.\n"
            );
        }
    }
    map
}

/// A part of the book with its lessons, in reading order.
struct Part<'a> {
    title: &'a str,
    lessons: Vec<Entry<'a>>,
}

struct Entry<'a> {
    study: &'a Study,
    title: &'a str,
    /// The chapter, relative to the others.
    path: &'a Path,
}

/// How long some lessons take together.
fn minutes<'a>(lessons: impl IntoIterator<Item = &'a Entry<'a>>) -> String {
    let (mut to_read, mut to_do) = (0, 0);
    for Entry { study, .. } in lessons {
        to_read += study.to_read;
        to_do += study.to_do;
    }
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
