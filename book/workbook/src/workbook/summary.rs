//! SUMMARY.md: which pages there are for mdBook, and in which order and part.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::page::line_of;

/// A page in SUMMARY.md.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative to the chapters, such as `02-heartbeat.md`.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// The page below which it is nested.
    pub parent: Option<String>,
    /// In which part it stands, counted by the titles and the lines `---` before it: after pages that
    /// are in no list mdBook takes a line, but no title.
    pub part: usize,
}

/// The pages, in order.
pub(super) fn read(markdown: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut part = 0;
    // The last page of each list that is open.
    let mut open: Vec<Option<String>> = Vec::new();
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) | Event::Rule => part += 1,
            Event::Start(Tag::List(_)) => open.push(None),
            Event::End(TagEnd::List(_)) => drop(open.pop()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let path = dest_url.trim_start_matches("./").to_owned();
                let parent = open.len().checked_sub(2).and_then(|above| open[above].clone());
                if let Some(last) = open.last_mut() {
                    *last = Some(path.clone());
                }
                entries.push(Entry { path, line: line_of(markdown, range.start), parent, part });
            }
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, line: usize, parent: Option<&str>, part: usize) -> Entry {
        Entry { path: path.to_owned(), line, parent: parent.map(str::to_owned), part }
    }

    #[test]
    fn a_page_is_read_with_its_line_its_parent_and_its_part() {
        let summary = "# Summary

[First](index.md)

# One

- [A](./a.md)
  - [Deep](a-deep.md)
    - [Deeper](a-deep-er.md)
  - [Wide](a-wide.md)
- [B](b.md)

# Two

- [C](c.md)
  - [Below](c-below.md)
- [Draft]()
  - [D](d.md)

---

[Last](last.md)
";
        assert_eq!(
            read(summary),
            [
                entry("index.md", 3, None, 1),
                entry("a.md", 7, None, 2),
                entry("a-deep.md", 8, Some("a.md"), 2),
                entry("a-deep-er.md", 9, Some("a-deep.md"), 2),
                entry("a-wide.md", 10, Some("a.md"), 2),
                entry("b.md", 11, None, 2),
                entry("c.md", 15, None, 3),
                entry("c-below.md", 16, Some("c.md"), 3),
                entry("", 17, None, 3),
                entry("d.md", 18, Some(""), 3),
                entry("last.md", 22, None, 4),
            ]
        );
    }

    #[test]
    fn titles_within_a_part_begin_none() {
        let parts = read("# One\n\n- [A](a.md)\n\n## Aside\n\n- [B](b.md)\n");
        assert_eq!(parts, [entry("a.md", 3, None, 1), entry("b.md", 7, None, 1)]);
    }
}
