//! What the chapters, README.md and CONTRIBUTING.md show: code, commands and links, each with its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pulldown_cmark::{BrokenLink, CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use regex::Regex;
use workbook::commands::{
    check_command, exercise_command, measure_check_command, measure_command, run_command,
};
use workbook::page::{Place, all_of, line_of};
use workbook::promise::Language;
use workbook::workbook::{CHAPTERS, Lesson, Workbook};

use crate::scratch::files_in;

/// A page of Markdown.
pub struct Markdown {
    /// Relative to the workbook's root.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

/// A fenced block.
pub struct Fence {
    /// Where its opening fence stands.
    pub place: Place,
    /// What stands after the opening fence.
    pub info: String,
    /// What is inside, as it is written.
    pub body: String,
}

/// A link, as it is written.
pub struct Link {
    /// Where it stands.
    pub place: Place,
    /// Where it leads.
    pub to: String,
}

/// A command line that a reader is to type.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Where it stands.
    pub place: Place,
    /// The line, without a comment.
    pub line: String,
}

/// How a command begins that is told in running text or in a comment. Names of programs without an
/// argument, and what a reader types only on a machine of their own, as `docker stop`, are none.
static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    let programs = "apt|bash|cargo|curl|git|mdbook|npm|pip3|python3|rm|rustc|timeout";
    Regex::new(&format!(r"^(?:[A-Z_]+=\S+ )?(?:{programs}) \S")).expect("a pattern")
});

/// All pages of the book, then README.md and CONTRIBUTING.md.
pub fn pages() -> Vec<Markdown> {
    let root = Workbook::home();
    let mut paths = chapters();
    paths.extend(["README.md", "CONTRIBUTING.md"].map(PathBuf::from));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root.join(&path)).expect("a page");
        Markdown { path, text }
    };
    paths.into_iter().map(read).collect()
}

/// SUMMARY.md and the pages that it lists, sorted: a reader's note among them is no page.
fn chapters() -> Vec<PathBuf> {
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    let owned = workbook.chapters.iter().flat_map(|chapter| &chapter.pages);
    let pages = owned.chain(&workbook.others).map(|page| page.path.clone());
    let mut paths: Vec<_> = pages.chain([Path::new(CHAPTERS).join("SUMMARY.md")]).collect();
    paths.sort();
    paths
}

/// The page of the rendered book that a file of the chapters becomes, by its path in each.
pub fn rendered(path: &Path) -> String {
    let below = path.strip_prefix(CHAPTERS).expect("a file of the chapters");
    below.with_extension("html").to_string_lossy().into_owned()
}

/// The pages of the rendered book, each of which a file of the chapters becomes, sorted.
pub fn rendered_pages() -> Vec<String> {
    let mut files = chapters();
    files.retain(|path| !path.ends_with("SUMMARY.md"));
    files.iter().map(|path| rendered(path)).collect()
}

impl Markdown {
    /// The place of a byte.
    pub fn place(&self, byte: usize) -> Place {
        Place { path: self.path.clone(), line: line_of(&self.text, byte) }
    }

    /// The fenced blocks, in order.
    pub fn fences(&self) -> Vec<Fence> {
        let mut fences: Vec<Fence> = Vec::new();
        let mut inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let (place, info) = (self.place(range.start), info.to_string());
                    fences.push(Fence { place, info, body: String::new() });
                    inside = true;
                }
                Event::Text(text) if inside => {
                    fences.last_mut().expect("the fence").body.push_str(&text);
                }
                Event::End(TagEnd::CodeBlock) => inside = false,
                _ => {}
            }
        }
        fences
    }

    /// The links and pictures of the Markdown, in order.
    pub fn links(&self) -> Vec<Link> {
        let links = self.events().filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(Link { place: self.place(range.start), to: dest_url.to_string() })
            }
            _ => None,
        });
        links.collect()
    }

    /// The labels of links that are defined and never used, and of those that are used and never
    /// defined, in words.
    pub fn loose_labels(&self) -> Vec<(Place, String)> {
        let mut loose = Vec::new();
        let mut undefined = |link: BrokenLink<'_>| {
            if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
                let message = format!("no line defines `[{}]`", link.reference);
                loose.push((self.place(link.span.start), message));
            }
            None
        };
        let parser = Parser::new_with_broken_link_callback(
            &self.text,
            Options::ENABLE_TABLES,
            Some(&mut undefined),
        );
        let defined: Vec<_> = parser
            .reference_definitions()
            .iter()
            .map(|(label, link)| (label.to_lowercase(), link.span.start))
            .collect();
        let used: BTreeSet<_> = parser
            .filter_map(|event| match event {
                Event::Start(Tag::Link { id, .. }) => Some(id.to_lowercase()),
                _ => None,
            })
            .collect();
        let unused = defined.into_iter().filter(|(label, _)| !used.contains(label));
        let unused = unused
            .map(|(label, byte)| (self.place(byte), format!("no link uses `[{label}]`")))
            .collect::<Vec<_>>();
        loose.extend(unused);
        loose
    }

    /// The command lines, in order: those of `console` blocks, of indented blocks, and in the text.
    pub fn commands(&self) -> Vec<Typed> {
        let mut commands = Vec::new();
        let mut is_indented = false;
        for (event, range) in self.events() {
            let place = self.place(range.start);
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
                    if &*info == "console" =>
                {
                    commands.extend(self.lines(place.line + 1));
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => is_indented = true,
                Event::End(TagEnd::CodeBlock) => is_indented = false,
                Event::Text(line) if is_indented && BEGINS.is_match(&line) => {
                    commands.push(Typed { place, line: bare(&line) });
                }
                Event::Code(code) if BEGINS.is_match(&code) && !is_a_form(&code) => {
                    commands.push(Typed { place, line: code.to_string() });
                }
                _ => {}
            }
        }
        commands
    }

    /// The command lines of a `console` block whose first line has this number. One that ends in `|`
    /// or `\` goes on in the next.
    fn lines(&self, first: usize) -> Vec<Typed> {
        let mut commands: Vec<Typed> = Vec::new();
        let mut goes_on = false;
        let lines = self.text.lines().enumerate().skip(first - 1);
        for (index, line) in lines.take_while(|(_, line)| !line.trim_start().starts_with("```")) {
            match commands.last_mut() {
                Some(last) if goes_on => {
                    last.line.push('\n');
                    last.line.push_str(line);
                }
                _ => {
                    let place = Place { path: self.path.clone(), line: index + 1 };
                    commands.push(Typed { place, line: line.to_owned() });
                }
            }
            goes_on = line.ends_with(['|', '\\']);
        }
        commands
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }
}

/// A line of an indented block without the words that explain it.
fn bare(line: &str) -> String {
    line.split("  #").next().unwrap_or_default().trim_end().to_owned()
}

/// Whether a part of it is left for the reader to fill in.
fn is_a_form(command: &str) -> bool {
    command.contains(['<', '…'])
}

/// The command lines in the comments of the lessons' programs, by file: between backticks, and in the
/// head of an exercise.
pub fn commands_in_comments(workbook: &Workbook) -> Vec<Typed> {
    let code = Regex::new("`([^`]+)`").expect("a pattern");
    let head = Regex::new(r"^(?://!\s+)(?:\(?[A-Za-z ]+: +)?(.*?)\)?$").expect("a pattern");
    let mut commands = Vec::new();
    for chapter in &workbook.chapters {
        for path in sources(&workbook.root, &chapter.directory) {
            let text = fs::read_to_string(workbook.root.join(&path)).expect("a source");
            let is_rust = path.extension().is_some_and(|extension| extension == "rs");
            for (index, line) in text.lines().enumerate() {
                let comment = if is_rust { "//" } else { "#" };
                let line = line.trim_start();
                if !line.starts_with(comment) {
                    continue;
                }
                let marked = code.captures_iter(line).chain(head.captures(line));
                let found = marked.map(|found| found.get(1).expect("a group").as_str());
                let found: BTreeSet<_> = found
                    .filter(|found| BEGINS.is_match(found) && !found.contains('`'))
                    .filter(|found| !is_a_form(found))
                    .collect();
                let place = Place { path: path.clone(), line: index + 1 };
                commands.extend(
                    found.into_iter().map(|line| Typed { place: place.clone(), line: line.into() }),
                );
            }
        }
    }
    commands
}

/// All files below a directory, relative to the root, sorted.
fn files_below(root: &Path, directory: &Path) -> Vec<PathBuf> {
    let files = files_in(&root.join(directory)).into_iter();
    files.map(|path| path.strip_prefix(root).expect("below the root").to_owned()).collect()
}

/// The programs of a lesson in all languages, relative to the root, sorted.
fn sources(root: &Path, directory: &Path) -> Vec<PathBuf> {
    let mut files = files_below(root, directory);
    let is_twin = |name: &str| Language::of(name).1.is_some();
    files.retain(|path| path.to_str().is_some_and(|name| name.ends_with(".rs") || is_twin(name)));
    files
}

/// The commands that the book prints above and below its tables: what is run, and what checks it.
pub fn commands_of_tables(workbook: &Workbook) -> Vec<Typed> {
    let mut commands = Vec::new();
    for chapter in &workbook.chapters {
        let mut add = |place: &Place, line: String| {
            commands.push(Typed { place: place.clone(), line });
        };
        for block in chapter.scenarios() {
            add(&block.place, run_command(chapter, &block.says));
            add(&block.place, check_command(chapter, &block.says));
        }
        if let Some(Lesson { exercise, .. }) = &chapter.lesson {
            let run = exercise.promises().map(|block| run_command(chapter, &block.says));
            add(exercise.place(), run.unwrap_or_else(|| exercise_command(chapter)));
            add(exercise.place(), format!("cargo test {}", chapter.name));
        }
        for block in chapter.measured() {
            add(&block.place, measure_command(chapter, &block.says));
            add(&block.place, measure_check_command(chapter, &block.says));
        }
    }
    commands
}

/// The workbook, or its problems as a panic.
pub fn workbook() -> Workbook {
    let loaded = Workbook::load(&Workbook::home());
    loaded.unwrap_or_else(|problems| panic!("{:#}", all_of(problems)))
}

/// Fails with a list of all that is wrong.
#[track_caller]
pub fn nothing_is_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
