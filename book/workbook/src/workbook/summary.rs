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
