//! The glossary: where a page uses one of its terms for the first time, the word leads to its entry.
//!
//! All is read from `glossary.md`, a definition list. What counts as a use stands in an entry's last
//! line, `*In the chapters: join, joins, joined.*`; without that line it is the term itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use mdbook_preprocessor::book::Book;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

use workbook::page::{Problem, line_of};
use workbook::workbook::lesson_name;

/// What an entry's line of forms begins with.
const FORMS: &str = "In the chapters:";
/// The page, in the directory of the chapters.
const PAGE: &str = "glossary.md";

/// The terms, and how to find them.
#[derive(Debug)]
pub struct Glossary {
    /// In the order of the page, which is alphabetical.
    pub terms: Vec<Term>,
    /// Matches any form of any term, the longest first.
    forms: Regex,
}

/// An entry of the glossary.
#[derive(Debug)]
pub struct Term {
    /// The line that it begins on, counted from 1.
    pub line: usize,
    /// The word, as the page writes it.
    pub name: String,
    /// The anchor that mdBook gives it.
    pub id: String,
    /// What counts as a use. In a page, the first letter may also be a capital.
    pub forms: Vec<String>,
}

/// Links the first use of each term in each page of the book, and takes the lines of forms, which say
/// nothing to a reader, off the glossary.
///
/// # Errors
///
/// What is wrong with the glossary, each with its line; also a term that no page uses.
pub fn link(book: &mut Book) -> Result<(), Vec<Problem>> {
    let problem =
        |line, message| Problem { path: Path::new("book/chapters").join(PAGE), line, message };
    let is_glossary = |path: &Option<_>| path.as_deref() == Some(Path::new(PAGE));
    let page = book.chapters().find(|chapter| is_glossary(&chapter.source_path));
    let page = page.ok_or_else(|| vec![problem(None, "the glossary is missing".to_owned())])?;
    let glossary = Glossary::read(&page.content).map_err(|mistakes| {
        mistakes.into_iter().map(|(line, message)| problem(Some(line), message)).collect::<Vec<_>>()
    })?;
    let mut used = BTreeSet::new();
    book.for_each_chapter_mut(|chapter| {
        if is_glossary(&chapter.source_path) {
            chapter.content = without_forms(&chapter.content);
            return;
        }
        let uses = glossary.first_uses(&chapter.content);
        used.extend(uses.iter().map(|(_, term)| term.line));
        let path = chapter.source_path.as_deref().map_or(0, |path| path.components().count());
        let up = "../".repeat(path.saturating_sub(1));
        // From the last to the first, so that the places of the earlier ones stay right.
        for (range, term) in uses.into_iter().rev() {
            chapter.content.insert_str(range.end, "</a>");
            // With a class, because on the print page the address does not tell that it is a term.
            let start = format!("<a class=\"term\" href=\"{up}{PAGE}#{}\">", term.id);
            chapter.content.insert_str(range.start, &start);
        }
    });
    let unused = glossary.terms.iter().filter(|term| !used.contains(&term.line));
    let problems: Vec<_> = unused
        .map(|term| {
            let forms = term.forms.join("`, `");
            let message = format!("no page uses `{}` (searched for: `{forms}`)", term.name);
            problem(Some(term.line), message)
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The Markdown of the page without its lines of forms.
fn without_forms(markdown: &str) -> String {
    let forms = format!("*{FORMS}");
    let paragraphs = markdown.split_inclusive("\n\n");
    paragraphs.filter(|paragraph| !paragraph.trim_start().starts_with(&forms)).collect()
}

impl Glossary {
    /// Reads the Markdown of the page.
    ///
    /// # Errors
    ///
    /// Each mistake with its line, counted from 1: a form that two terms claim, an entry that is out
    /// of order or leads to no lesson.
    pub fn read(markdown: &str) -> Result<Self, Vec<(usize, String)>> {
        let mut terms: Vec<Term> = Vec::new();
        let mut taught = BTreeSet::new();
        // Of the title or paragraph that is being read.
        let mut text = String::new();
        for (event, range) in parser(markdown).into_offset_iter() {
            match event {
                Event::Start(
                    Tag::DefinitionListTitle | Tag::DefinitionListDefinition | Tag::Paragraph,
                ) => text.clear(),
                Event::Text(part) | Event::Code(part) => text.push_str(&part),
                Event::SoftBreak => text.push(' '),
                Event::Start(Tag::Link { dest_url, .. }) => {
                    let page = dest_url.split_once(".md").map_or("", |(page, _)| page);
                    if let (Some(_), Some(term)) = (lesson_name(page), terms.last()) {
                        taught.insert(term.line);
                    }
                }
                Event::End(TagEnd::DefinitionListTitle) => terms.push(Term {
                    line: line_of(markdown, range.start),
                    id: anchor(&text),
                    forms: vec![text.clone()],
                    name: text.clone(),
                }),
                Event::End(TagEnd::DefinitionListDefinition) => {
                    if let (Some(forms), Some(term)) = (text.strip_prefix(FORMS), terms.last_mut())
                    {
                        let forms = forms.trim_end_matches('.').split(',');
                        term.forms = forms.map(|form| form.trim().to_owned()).collect();
                    }
                }
                _ => {}
            }
        }

        let mut mistakes = Vec::new();
        if terms.is_empty() {
            mistakes.push((1, "no entry; write a term, and on the next line `: `".to_owned()));
        }
        let mut owners: BTreeMap<&str, &Term> = BTreeMap::new();
        for (index, term) in terms.iter().enumerate() {
            let Term { line, name, forms, .. } = term;
            if let Some(before) = index.checked_sub(1).map(|index| &terms[index].name)
                && before.to_lowercase() > name.to_lowercase()
            {
                let message = format!("`{name}` comes before `{before}` in the alphabet");
                mistakes.push((*line, message));
            }
            if !taught.contains(line) {
                let message = format!("`{name}` has no link to the lesson that teaches it");
                mistakes.push((*line, message));
            }
            for form in forms {
                if form.is_empty() {
                    mistakes.push((*line, format!("`{name}` has an empty form: a comma too many")));
                } else if let Some(other) = owners.insert(form, term) {
                    let message = format!(
                        "`{form}` of `{name}` is already a form of `{}` on line {}",
                        other.name, other.line
                    );
                    mistakes.push((*line, message));
                }
            }
        }
        let mut forms: Vec<&str> = owners.into_keys().collect();
        // The first alternative that matches is taken.
        forms.sort_by_key(|form| Reverse(form.len()));
        let patterns: Vec<_> = forms.into_iter().map(pattern).collect();
        let forms = Regex::new(&format!(r"\b(?:{})\b", patterns.join("|")));
        match forms {
            Ok(forms) if mistakes.is_empty() => Ok(Self { terms, forms }),
            Ok(_) => Err(mistakes),
            Err(error) => Err(vec![(1, error.to_string())]),
        }
    }

    /// The first use of each term in the running prose of a page, in order, with its place.
    ///
    /// Not prose are headings, the heads of tables, code, what is a link already, HTML, and
    /// quotations such as `*"a thread"*`.
    fn first_uses(&self, markdown: &str) -> Vec<(Range<usize>, &Term)> {
        let stretches = prose(markdown).into_iter();
        let mut uses: Vec<_> = stretches.flat_map(|prose| self.uses(markdown, prose)).collect();
        let mut seen = BTreeSet::new();
        uses.retain(|(_, term)| seen.insert(term.line));
        uses
    }

    /// Every use of a term in one stretch of a text, in order, with its place. Of two forms that
    /// begin at the same place the longer one is used.
    pub fn uses(&self, text: &str, stretch: Range<usize>) -> Vec<(Range<usize>, &Term)> {
        let found = self.forms.find_iter(&text[stretch.clone()]);
        let ranges = found.map(|found| stretch.start + found.start()..stretch.start + found.end());
        // `join-deadline` uses neither of its words.
        let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-');
        let whole = ranges.filter(|range| {
            let (before, after) = (&text[..range.start], &text[range.end..]);
            !goes_on(before.chars().next_back()) && !goes_on(after.chars().next())
        });
        whole.filter_map(|range| Some((range.clone(), self.term(&text[range])?))).collect()
    }

    /// Whose form it is, as it stands in a page: over the end of a line, or with a capital.
    fn term(&self, text: &str) -> Option<&Term> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut characters = text.chars();
        let first = characters.next().map(|first| first.to_ascii_lowercase());
        let small: String = first.into_iter().chain(characters).collect();
        let is_it = |form: &String| *form == text || *form == small;
        self.terms.iter().find(|term| term.forms.iter().any(is_it))
    }
}

/// A page as mdBook reads it, as far as it matters here. Quotation marks stay as they are.
fn parser(markdown: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_DEFINITION_LIST;
    Parser::new_ext(markdown, options)
}

/// The anchor that mdBook makes of a title.
fn anchor(title: &str) -> String {
    let title = title.to_lowercase().replace(' ', "-");
    title.chars().filter(|&c| c.is_alphanumeric() || c == '-' || c == '_').collect()
}

/// Matches one form: its first letter also as a capital, and any white space between its words.
fn pattern(form: &str) -> String {
    let words: Vec<_> = form.split(' ').map(regex::escape).collect();
    let pattern = words.join(r"\s+");
    match pattern.chars().next() {
        Some(first) if first.is_ascii_lowercase() => {
            format!("[{first}{}]{}", first.to_ascii_uppercase(), &pattern[1..])
        }
        _ => pattern,
    }
}

/// The stretches of a page that are running prose, over the ends of lines.
fn prose(markdown: &str) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut goes_on = false;
    // The end of what is open and no running prose.
    let mut other_until = 0;
    for (event, range) in parser(markdown).into_offset_iter() {
        let is_text = matches!(event, Event::Text(_) | Event::SoftBreak);
        if is_text && range.start >= other_until {
            match stretches.last_mut() {
                Some(last) if goes_on => last.end = range.end,
                _ => stretches.push(range),
            }
            goes_on = true;
            continue;
        }
        goes_on = false;
        let is_other = match event {
            Event::Start(
                Tag::Heading { .. }
                | Tag::CodeBlock(_)
                | Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::TableHead
                | Tag::DefinitionListTitle,
            ) => true,
            // What a manual says uses its words in its own sense.
            Event::Start(Tag::Emphasis) => markdown[range.clone()].starts_with("*\""),
            _ => false,
        };
        if is_other {
            other_until = other_until.max(range.end);
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use mdbook_preprocessor::book::{BookItem, Chapter};

    use super::*;

    const PAGE: &str = "# Glossary

*1 minute to read.*

daemon thread
: One that is not waited for. See
  [lesson 2](02-heartbeat.md).

  *In the chapters: daemon thread,
  daemon threads.*

grace period
: The time until the kill. See [lesson 14](14-graceful-sigterm.md#why).

SIGTERM
: A request. See [lesson 14](14-graceful-sigterm.md).

thread
: Runs. See [lesson 1](01-critical-worker.md).

  *In the chapters: thread, threads.*

thread pool
: Some threads. See [lesson 11](11-worker-pool.md).
";

    fn mistakes(page: &str) -> Vec<(usize, String)> {
        Glossary::read(page).map(drop).err().unwrap_or_default()
    }

    /// Each first use in a page with the anchor that it leads to.
    fn uses(page: &str) -> Vec<(String, String)> {
        let glossary = Glossary::read(PAGE).expect("a glossary without mistakes");
        let uses = glossary.first_uses(page).into_iter();
        uses.map(|(range, term)| (page[range].to_owned(), term.id.clone())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(text, id)| ((*text).to_owned(), (*id).to_owned())).collect()
    }

    #[test]
    fn an_entry_is_read_with_its_line_and_its_forms() {
        let glossary = Glossary::read(PAGE).expect("a glossary without mistakes");
        let read: Vec<_> = glossary
            .terms
            .iter()
            .map(|Term { line, id, forms, .. }| (*line, &**id, forms.join("|")))
            .collect();
        assert_eq!(
            read,
            [
                (5, "daemon-thread", "daemon thread|daemon threads".to_owned()),
                (12, "grace-period", "grace period".to_owned()),
                (15, "sigterm", "SIGTERM".to_owned()),
                (18, "thread", "thread|threads".to_owned()),
                (23, "thread-pool", "thread pool".to_owned()),
            ]
        );
    }

    #[test]
    fn only_the_first_use_counts_and_the_longest_form_wins() {
        assert_eq!(
            uses(
                "Daemon threads, a daemon thread. A thread pool has threads, a thread; SIGTERM, sigterm."
            ),
            pairs(&[
                ("Daemon threads", "daemon-thread"),
                ("thread pool", "thread-pool"),
                ("threads", "thread"),
                ("SIGTERM", "sigterm")
            ])
        );
    }

    #[test]
    fn a_use_may_go_over_the_end_of_a_line_and_stand_in_an_emphasis_or_a_list() {
        assert_eq!(
            uses("1. The *grace\n   period* is over, says\n   a **thread**.\n"),
            pairs(&[("grace\n   period", "grace-period"), ("thread", "thread")])
        );
    }

    #[test]
    fn what_is_no_prose_is_no_use() {
        for page in [
            "# A thread\n",
            "A `thread`.\n",
            "```text\na thread\n```\n",
            "A [long thread of *daemon threads*](https://example.org) and ![thread](a.png).\n",
            "A [thread].\n\n[thread]: https://example.org/thread\n",
            "| thread |\n|---|\n| `thread` |\n",
            "<details>\n<summary>A thread</summary>\n</details>\n",
            "The manual says: *\"a thread [of](a.md) this thread\"*.\n",
            "<div class=\"promise\"><p>A thread.</p></div>\n",
            "A multi-thread thread-local rethread, threaded.\n",
        ] {
            assert_eq!(uses(page), [], "{page}");
        }
        let page = "<details>\n<summary>A thread</summary>\n\nThis thread.\n\n</details>\n";
        assert_eq!(uses(page), pairs(&[("thread", "thread")]));
        assert_eq!(uses("| a |\n|---|\n| thread |\n"), pairs(&[("thread", "thread")]));
    }

    #[test]
    fn a_form_has_one_owner() {
        assert_eq!(
            mistakes(&PAGE.replace("thread, threads.", "thread, daemon threads.")),
            [(
                18,
                "`daemon threads` of `thread` is already a form of `daemon thread` on line 5"
                    .to_owned()
            )]
        );
        assert_eq!(
            mistakes(&PAGE.replace("thread, threads.", "thread,, threads.")),
            [(18, "`thread` has an empty form: a comma too many".to_owned())]
        );
    }

    #[test]
    fn the_entries_are_in_order_and_lead_to_a_lesson() {
        assert_eq!(
            mistakes(&PAGE.replace("\ngrace period", "\nzombie")),
            [(15, "`SIGTERM` comes before `zombie` in the alphabet".to_owned())]
        );
        assert_eq!(
            mistakes("# Glossary"),
            [(1, "no entry; write a term, and on the next line `: `".to_owned())]
        );
        assert_eq!(
            mistakes(&PAGE.replace("[lesson 1](01-critical-worker.md)", "[it](index.md)")),
            [(18, "`thread` has no link to the lesson that teaches it".to_owned())]
        );
    }

    #[test]
    fn a_term_that_no_page_uses_is_named_with_its_line() {
        let book = |text: &str| {
            let chapter = |path: &str, text: &str| {
                let path = Path::new(path);
                BookItem::from(Chapter::new("", text.to_owned(), path, Vec::new()))
            };
            Book::new_with_items(vec![chapter("one.md", text), chapter("glossary.md", PAGE)])
        };
        let mut used =
            book("A daemon thread has a grace period. A thread pool: on SIGTERM a thread ends.");
        assert_eq!(link(&mut used), Ok(()));
        let linked = &used.chapters().next().expect("the page").content;
        assert!(
            linked.ends_with(
                "on <a class=\"term\" href=\"glossary.md#sigterm\">SIGTERM</a> \
                 a <a class=\"term\" href=\"glossary.md#thread\">thread</a> ends."
            ),
            "{linked}"
        );
        let problems = link(&mut book("A daemon thread. A thread pool: on SIGTERM a thread ends."));
        assert_eq!(
            problems.expect_err("a problem")[0].to_string(),
            "book/chapters/glossary.md:12: no page uses `grace period` \
             (searched for: `grace period`)"
        );
        let problems = link(&mut Book::new());
        assert_eq!(
            problems.expect_err("a problem")[0].to_string(),
            "book/chapters/glossary.md: the glossary is missing"
        );
    }
}
