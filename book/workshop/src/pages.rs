//! How long a page is: one counter over what a reader sees of it, for the minutes that the book tells
//! and for the limits that its pages keep.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use mdbook_driver::MDBook;
use mdbook_driver::builtin_preprocessors::LinkPreprocessor;
use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use pulldown_cmark::{Options, Parser, html};
use tracing::subscriber::{NoSubscriber, with_default};

use crate::preprocess::Workshop;

/// Words that are read in a minute.
const WORDS_A_MINUTE: f64 = 220.0;
/// Seconds that a line of code or of a transcript takes.
const SECONDS_A_LINE: f64 = 2.0;

/// What is on each page, by its path below the chapters.
pub type Lengths = BTreeMap<PathBuf, Length>;

/// What is on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// Words of prose in sight.
    pub prose: usize,
    /// Words of tables in sight.
    pub tabled: usize,
    /// Words in folds.
    pub folded: usize,
    /// Lines of code and of transcripts in sight.
    pub code: usize,
    /// Tables in sight.
    pub tables: usize,
    /// Those of them that are promises.
    pub promises: usize,
}

impl Length {
    /// Minutes to read what is in sight, at least one.
    pub fn minutes(&self) -> u32 {
        let words = (self.prose + self.tabled) as f64 / WORDS_A_MINUTE;
        let code = self.code as f64 * SECONDS_A_LINE / 60.0;
        (words + code).round().max(1.0) as u32
    }

    /// Measures a page's HTML.
    pub fn of(html: &str) -> Self {
        let tokenizer = Tokenizer::new(Counter::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        // No script is run that could ask for the tokenizer to wait.
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.0.into_inner().finish()
    }
}

/// A time in words, such as `1 minute`.
pub fn minutes(count: u32) -> String {
    if count == 1 { "1 minute".to_owned() } else { format!("{count} minutes") }
}

/// Measures the pages of a book whose blocks are rendered, as they are when its files are included.
///
/// # Errors
///
/// If a page cannot be expanded.
pub fn count(context: &PreprocessorContext, book: &Book) -> Result<Lengths> {
    // What cannot be included is told when the book itself is built.
    let quietly = NoSubscriber::default();
    let expanded = with_default(quietly, || LinkPreprocessor::new().run(context, book.clone()))?;
    let counts = expanded.chapters().filter_map(|chapter| {
        let options = Options::ENABLE_TABLES | Options::ENABLE_DEFINITION_LIST;
        let mut page = String::new();
        html::push_html(&mut page, Parser::new_ext(&chapter.content, options));
        Some((chapter.source_path.clone()?, Length::of(&page)))
    });
    Ok(counts.collect())
}

/// Measures the pages of the workbook below a root.
///
/// # Errors
///
/// What is wrong with the workbook.
pub fn count_all(root: &Path) -> Result<Lengths> {
    let book = MDBook::load(root.join("book"))?;
    let context = PreprocessorContext::new(book.root, book.config, "html".to_owned());
    count(&context, &Workshop.run(&context, book.book)?)
}

/// Sees the tokens of a page go by.
#[derive(Default)]
struct Counter(RefCell<Seen>);

#[derive(Default)]
struct Seen {
    count: Length,
    /// What is open, and matters: of each element how many.
    details: usize,
    summary: usize,
    table: usize,
    pre: usize,
    /// Pictures, whose words are labels.
    svg: usize,
    is_promise: bool,
    prose: String,
    tabled: String,
    folded: String,
}

impl TokenSink for Counter {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.0.borrow_mut().tag(&tag),
            Token::CharacterTokens(text) => self.0.borrow_mut().text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Seen {
    fn is_folded(&self) -> bool {
        self.details > 0 && self.summary == 0
    }

    fn tag(&mut self, tag: &Tag) {
        let opens = tag.kind == TagKind::StartTag;
        let open = match &*tag.name {
            "details" => &mut self.details,
            "summary" => &mut self.summary,
            "table" => &mut self.table,
            "pre" => &mut self.pre,
            "svg" => &mut self.svg,
            // They stand within a word.
            "code" | "em" | "strong" | "a" | "span" | "samp" | "b" | "i" => return,
            name => {
                if name == "div" && opens {
                    let mut attributes = tag.attrs.iter();
                    self.is_promise = attributes
                        .any(|one| &*one.name.local == "class" && &*one.value == "promise");
                }
                for text in [&mut self.prose, &mut self.tabled, &mut self.folded] {
                    text.push(' ');
                }
                return;
            }
        };
        *open = if opens { *open + 1 } else { open.saturating_sub(1) };
        if &*tag.name == "table" && opens && !self.is_folded() {
            self.count.tables += 1;
            self.count.promises += usize::from(self.is_promise);
        }
        if &*tag.name == "table" && !opens {
            self.is_promise = false;
        }
    }

    fn text(&mut self, text: &str) {
        match self {
            Self { svg: 1.., .. } => {}
            Self { pre: 1.., .. } if self.is_folded() => {}
            Self { pre: 1.., .. } => self.count.code += text.matches('\n').count(),
            _ if self.is_folded() => self.folded.push_str(text),
            Self { table: 1.., .. } => self.tabled.push_str(text),
            _ => self.prose.push_str(text),
        }
    }

    fn finish(self) -> Length {
        let words = |text: String| text.split_whitespace().count();
        Length {
            prose: words(self.prose),
            tabled: words(self.tabled),
            folded: words(self.folded),
            ..self.count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_sight_is_told_from_what_is_folded() {
        let page = "<h1>A <code>title</code>s</h1><p>one two</p>\
                    <div class=\"promise\"><table><tr><td>three</td><td>four</td></tr></table></div>\
                    <table><tr><td>five</td></tr></table>\
                    <pre><code>let a;\nlet b;\n</code></pre>\
                    <svg><text>label</text></svg>\
                    <details><summary>open me</summary>six seven eight\
                    <table><tr><td>nine</td></tr></table><pre>a\nb\n</pre></details><p>last</p>";
        let expected = Length { prose: 7, tabled: 3, folded: 4, code: 2, tables: 2, promises: 1 };
        assert_eq!(Length::of(page), expected);
    }

    #[test]
    fn minutes_are_those_of_words_and_of_lines() {
        let count = Length { prose: 400, tabled: 40, folded: 9_000, code: 60, ..Length::default() };
        assert_eq!(count.minutes(), 4);
        assert_eq!(Length::default().minutes(), 1);
        assert_eq!([1, 2].map(minutes), ["1 minute", "2 minutes"]);
    }
}
