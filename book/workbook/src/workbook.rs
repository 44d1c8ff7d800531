//! The workbook on disk: which lessons there are, and what their chapters promise.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Error, anyhow};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::measured::{Measured, Source};
use crate::outcomes::Outcomes;
use crate::promise::{Mistake, Scenario};
use crate::recording::{Recording, lesson_of};

/// The line that a reader deletes to have an exercise judged.
pub const MARKER: &str = "// YOUR TURN";

/// All lessons, in reading order.
#[derive(Debug)]
pub struct Workbook {
    /// The directory that holds `book/` and `lessons/`.
    pub root: PathBuf,
    /// The lessons.
    pub lessons: Vec<Lesson>,
}

/// A crate under `lessons/` and its chapter.
#[derive(Debug)]
pub struct Lesson {
    /// The package's name, such as `heartbeat`.
    pub name: String,
    /// Its directory, relative to the root, such as `lessons/02-heartbeat`.
    pub directory: PathBuf,
    /// Its chapter, relative to the root.
    pub chapter: PathBuf,
    /// What the chapter promises of the lesson's programs.
    pub scenarios: Vec<Located>,
    /// What a reader works through; an appendix with programs has none.
    pub study: Option<Study>,
    /// The figures that the chapter tells without promising them.
    pub measured: Vec<Block<Measured>>,
    /// The tables that show several scenarios side by side.
    pub outcomes: Vec<Block<Outcomes>>,
    /// The recordings that the chapter shows.
    pub shown: Vec<Shown>,
}

/// What makes a chapter a lesson: its question, how long it takes, and its exercise.
#[derive(Debug)]
pub struct Study {
    /// What the reader may have asked before opening the book.
    pub question: String,
    /// Minutes to read the chapter.
    pub to_read: u32,
    /// Minutes to run its programs and do the exercise.
    pub to_do: u32,
    /// What the chapter promises of the exercise's solution.
    pub exercise: Located,
}

/// A line in a page that shows recordings: `{{#recording heartbeat heartbeat::joined}}` draws them
/// above one another on one time axis, `{{#log heartbeat 3}}` has the first lines of one's log.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Counted from 1.
    pub line: usize,
    /// The bytes of the page that it takes.
    pub range: Range<usize>,
    /// The scenarios whose recordings are shown.
    pub scenarios: Vec<String>,
    /// Only so many lines of the log, and no picture.
    pub lines: Option<usize>,
}

/// A scenario, and the line of the chapter that its block begins on.
#[derive(Clone, Debug)]
pub struct Located {
    /// Counted from 1.
    pub line: usize,
    /// What the block says.
    pub scenario: Scenario,
}

/// A fenced block of TOML in a page: a promise, what was measured, or a table of outcomes.
#[derive(Debug)]
pub struct Block<T> {
    /// The line of its opening fence, counted from 1.
    pub line: usize,
    /// The bytes of the page that it takes, fences included.
    pub range: Range<usize>,
    /// What it says.
    pub says: T,
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
    fn new(path: impl Into<PathBuf>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
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

impl Workbook {
    /// The root of the checkout: the directory above a package that holds the chapters. What cargo runs
    /// belongs to the package that cargo names, anything else to the one that it was compiled in.
    pub fn home() -> PathBuf {
        let package =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let package = Path::new(&package);
        let has_chapters = |directory: &&Path| directory.join("book/chapters").is_dir();
        package.ancestors().find(has_chapters).unwrap_or(package).to_owned()
    }

    /// Reads `lessons/` and `book/chapters/` below a root and checks that they belong together.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its file and line: a block that is not a promise, a
    /// lesson without a chapter, a chapter without a lesson, a chapter missing from SUMMARY.md, a
    /// program or a Python twin that is missing or that nothing is promised of.
    pub fn load(root: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut read = Reading { root: &root, problems: &mut problems };
        let crates = read.names("lessons", "");
        let pages = read.names("book/chapters", ".md");
        let summary = read.text(Path::new("book/chapters/SUMMARY.md"));

        let mut lessons = Vec::new();
        for page in &pages {
            let chapter = Path::new("book/chapters").join(format!("{page}.md"));
            let text = read.text(&chapter);
            if page != "SUMMARY" && !links_to(&summary, &format!("{page}.md")) {
                read.report(
                    "book/chapters/SUMMARY.md",
                    None,
                    format!("a page is missing; add the line `- [{}]({page}.md)`", title(&text)),
                );
            }
            match lesson_name(page) {
                Some(_) if !crates.contains(page) => read.report(
                    &chapter,
                    None,
                    format!("this chapter has no lesson; add the crate lessons/{page}"),
                ),
                Some(name) => lessons.extend(read.lesson(page, name, chapter, &text)),
                None if crates.contains(page) => {
                    lessons.extend(read.appendix(page, chapter, &text));
                }
                None => read.page_without_lesson(&chapter, &text),
            }
        }
        for directory in crates.iter().filter(|name| !pages.contains(name)) {
            let path = Path::new("lessons").join(directory);
            let has_programs = ["src/bin", "src/main.rs"];
            if has_programs.iter().any(|part| root.join(&path).join(part).exists()) {
                let message =
                    format!("this lesson has no chapter; add book/chapters/{directory}.md");
                read.report(path, None, message);
            }
        }
        let workbook = Self { root, lessons };
        problems.extend(workbook.unknown_recordings());
        if problems.is_empty() { Ok(workbook) } else { Err(problems) }
    }

    /// The lesson of this name.
    pub fn lesson(&self, name: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.name == name)
    }

    /// The lesson, or the appendix with programs, of a page such as `02-heartbeat.md`.
    pub fn lesson_of_page(&self, page: &Path) -> Option<&Lesson> {
        let chapter = Path::new("book/chapters").join(page);
        self.lessons.iter().find(|lesson| lesson.chapter == chapter)
    }

    /// The scenario of this full name, such as `heartbeat::joined`, and its lesson.
    pub fn scenario(&self, name: &str) -> Option<(&Lesson, &Located)> {
        let lesson = self.lesson(lesson_of(name))?;
        Some((lesson, lesson.scenario(name)?))
    }

    /// The `measured` block of a lesson's chapter that has this name.
    pub fn measured(&self, lesson: &str, name: &str) -> Option<&Measured> {
        let mut blocks = self.lesson(lesson)?.measured.iter();
        blocks.find(|block| block.says.name == name).map(|block| &block.says)
    }

    /// The recordings that the chapters show, by the full names of their scenarios.
    ///
    /// # Errors
    ///
    /// Each recording that is missing, unreadable, or shown by no chapter.
    pub fn recordings(&self) -> Result<BTreeMap<String, Recording>, Vec<Problem>> {
        let mut recordings = BTreeMap::new();
        let mut problems = Vec::new();
        for lesson in &self.lessons {
            for shown in &lesson.shown {
                for scenario in &shown.scenarios {
                    match Recording::load(&self.root, scenario) {
                        Ok(recording) => {
                            recordings.insert(scenario.clone(), recording);
                        }
                        Err(error) => problems.push(Problem::new(
                            &lesson.chapter,
                            Some(shown.line),
                            format!("{error:#}"),
                        )),
                    }
                }
            }
        }
        let kept: Vec<_> = recordings.keys().map(|scenario| Recording::path(scenario)).collect();
        let directory = Path::new("book/recordings");
        let entries = fs::read_dir(self.root.join(directory)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name()).filter(|name| !is_hidden(name));
        let strays = names.map(|name| directory.join(name)).filter(|path| !kept.contains(path));
        if problems.is_empty() {
            problems.extend(
                strays.map(|path| Problem::new(path, None, "no chapter shows this recording")),
            );
        }
        if problems.is_empty() { Ok(recordings) } else { Err(problems) }
    }

    fn unknown_recordings(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for lesson in &self.lessons {
            if lesson.shown.is_empty() && lesson.study.is_some() {
                let message =
                    format!("no run is shown; add a line `{{{{#recording {}}}}}`", lesson.name);
                problems.push(Problem::new(&lesson.chapter, None, message));
            }
            for shown in &lesson.shown {
                for name in &shown.scenarios {
                    let message = match self.scenario(name) {
                        None => format!("there is no scenario `{name}` to show a recording of"),
                        Some((_, located)) if located.scenario.is_python_only() => {
                            format!("`{name}` is a Python program; recordings are of Rust programs")
                        }
                        Some(_) => continue,
                    };
                    problems.push(Problem::new(&lesson.chapter, Some(shown.line), message));
                }
            }
        }
        problems
    }
}

impl Lesson {
    /// The scenario of this full name, such as `heartbeat::joined`.
    pub fn scenario(&self, name: &str) -> Option<&Located> {
        self.scenarios.iter().find(|located| located.scenario.full_name(&self.name) == name)
    }

    /// The program that a scenario runs; of a Python program, the one whose twin it is.
    pub fn program<'a>(&'a self, scenario: &'a Scenario) -> &'a str {
        let program = scenario.program.as_ref().map_or(&*self.name, |program| program.get_ref());
        program.strip_suffix(".py").unwrap_or(program)
    }

    /// What is built to run a scenario: the lesson's package, with the feature that it needs.
    pub fn package(&self, scenario: &Scenario) -> String {
        match &scenario.feature {
            Some(feature) => format!("{}/{feature}", self.name),
            None => self.name.clone(),
        }
    }

    /// The source of a program, relative to the root.
    pub fn source(&self, program: &str) -> PathBuf {
        if program == self.name {
            self.directory.join("src/main.rs")
        } else {
            self.directory.join("src/bin").join(format!("{program}.rs"))
        }
    }

    /// The Python twin of a program, relative to the root.
    pub fn twin(&self, program: &str) -> PathBuf {
        self.directory.join(format!("{program}.py"))
    }

    /// The program that the reader edits.
    pub fn exercise_program(&self) -> String {
        format!("{}-exercise", self.name)
    }

    /// The program that the chapter shows behind a fold.
    pub fn solution_program(&self) -> String {
        format!("{}-solution", self.name)
    }
}

/// The `promise` blocks of a page's Markdown, in order.
///
/// # Errors
///
/// The line of the first mistake and what it is.
pub fn blocks(markdown: &str) -> Result<Vec<Block<Scenario>>, (usize, String)> {
    fenced(markdown, "promise", Scenario::parse)
}

/// The `measured` blocks of a page's Markdown, in order.
///
/// # Errors
///
/// The line of the first mistake and what it is.
pub fn measured(markdown: &str) -> Result<Vec<Block<Measured>>, (usize, String)> {
    fenced(markdown, "measured", Measured::parse)
}

/// The `outcomes` blocks of a page's Markdown, in order.
///
/// # Errors
///
/// The line of the first mistake and what it is.
pub fn outcomes(markdown: &str) -> Result<Vec<Block<Outcomes>>, (usize, String)> {
    fenced(markdown, "outcomes", Outcomes::parse)
}

/// The fenced blocks of one kind, in order, or the line of the first mistake and what it is.
fn fenced<T>(
    markdown: &str,
    kind: &str,
    parse: impl Fn(&str) -> Result<T, Mistake>,
) -> Result<Vec<Block<T>>, (usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(Range<usize>, String)> = None;
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => match &*info {
                info if info == kind => open = Some((range, String::new())),
                _ if info.trim().to_lowercase().starts_with(kind) => {
                    let message = format!("` ```{info}` is not checked; write ` ```{kind}`");
                    return Err((line_of(markdown, range.start), message));
                }
                _ => {}
            },
            Event::Text(text) => {
                if let Some((_, source)) = &mut open {
                    source.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some((range, source)) = open.take() else { continue };
                let line = line_of(markdown, range.start);
                let says = parse(&source).map_err(|Mistake { message, span }| {
                    // A key that is missing from the block is told of its first line.
                    let place =
                        span.filter(|span| span.start > 0 || !message.starts_with("missing"));
                    (line + place.map_or(0, |span| line_of(&source, span.start)), message)
                })?;
                blocks.push(Block { line, range, says });
            }
            _ => {}
        }
    }
    Ok(blocks)
}

/// The lines of a page that show recordings, in order.
///
/// # Errors
///
/// The line of the first one that is not written as it should be, and what it lacks.
pub fn shown(markdown: &str) -> Result<Vec<Shown>, (usize, String)> {
    let mut shown = Vec::new();
    let mut start = 0;
    for (index, line) in markdown.split_inclusive('\n').enumerate() {
        let text = line.trim_end();
        let range = start..start + text.len();
        start += line.len();
        let words = text.strip_prefix("{{#").and_then(|rest| rest.strip_suffix("}}"));
        let words: Vec<&str> = words.unwrap_or_default().split_whitespace().collect();
        let (scenarios, lines) = match words[..] {
            ["recording", ref names @ ..] if !names.is_empty() => (names.to_vec(), None),
            ["log", name, lines] if lines.parse::<usize>().is_ok() => {
                (vec![name], lines.parse().ok())
            }
            ["recording" | "log", ..] => {
                let message = "write `{{#recording <scenario>…}}` or `{{#log <scenario> <lines>}}`";
                return Err((index + 1, message.to_owned()));
            }
            _ => continue,
        };
        let scenarios = scenarios.into_iter().map(str::to_owned).collect();
        shown.push(Shown { line: index + 1, range, scenarios, lines });
    }
    Ok(shown)
}

/// The lesson that a numbered page or directory belongs to: `02-heartbeat` → `heartbeat`.
pub fn lesson_name(page: &str) -> Option<&str> {
    let (number, name) = page.split_once('-')?;
    (number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// A chapter's question, and its minutes to read and to do.
fn opening(text: &str) -> Option<(String, u32, u32)> {
    let mut lines = text.lines().skip(1).filter(|line| !line.is_empty());
    let question = lines.next()?.strip_prefix('*')?.strip_suffix("?*")?;
    let minutes = lines.next()?.strip_prefix('*')?.strip_suffix(" minutes to do.*")?;
    let (to_read, to_do) = minutes.split_once(" minutes to read, ")?;
    Some((format!("{question}?"), to_read.parse().ok()?, to_do.parse().ok()?))
}

/// Reads the workbook and keeps what is wrong with it.
struct Reading<'a> {
    root: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn report(
        &mut self,
        path: impl Into<PathBuf>,
        line: Option<usize>,
        message: impl Into<String>,
    ) {
        self.problems.push(Problem::new(path, line, message));
    }

    /// The names of what stands in a directory and ends like this, without that ending, sorted.
    fn names(&mut self, directory: &str, ending: &str) -> Vec<String> {
        let list = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(self.root.join(directory))? {
                let name = entry?.file_name();
                if is_hidden(&name) {
                    continue;
                }
                let name = name.to_string_lossy().into_owned();
                names.extend(name.strip_suffix(ending).map(str::to_owned));
            }
            names.sort();
            Ok(names)
        };
        list().unwrap_or_else(|error| {
            self.report(directory, None, format!("cannot be read: {error}"));
            Vec::new()
        })
    }

    fn text(&mut self, path: &Path) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| {
            self.report(path, None, format!("cannot be read: {error}"));
            String::new()
        })
    }

    /// What was read of a page; a mistake in it is reported.
    fn read<T>(&mut self, path: &Path, read: Result<Vec<T>, (usize, String)>) -> Vec<T> {
        read.unwrap_or_else(|(line, message)| {
            self.report(path, Some(line), message);
            Vec::new()
        })
    }

    fn page_without_lesson(&mut self, path: &Path, text: &str) {
        for block in self.read(path, blocks(text)) {
            let message = "no test would run this promise; it belongs into a lesson's chapter";
            self.report(path, Some(block.line), message);
        }
        for block in self.read(path, measured(text)) {
            let message = "no test would measure this; it belongs into a lesson's chapter";
            self.report(path, Some(block.line), message);
        }
        for block in self.read(path, outcomes(text)) {
            let message = "no scenario stands behind this; it belongs into a lesson's chapter";
            self.report(path, Some(block.line), message);
        }
    }

    fn lesson(&mut self, page: &str, name: &str, chapter: PathBuf, text: &str) -> Option<Lesson> {
        let (lesson, exercises) = self.chapter(page, name, chapter, text)?;
        let [exercise] = &exercises[..] else {
            let found = exercises.len();
            self.report(
                &lesson.chapter,
                exercises.get(1).map(|block| block.line),
                format!("{found} exercises; a chapter has one promise block with `starter_breaks`"),
            );
            return None;
        };
        let Some((question, to_read, to_do)) = opening(text) else {
            let message = "a chapter begins with its title, its question (`*Why …?*`) and \
                           `*6 minutes to read, 10 minutes to do.*`";
            self.report(&lesson.chapter, Some(1), message);
            return None;
        };
        let study = Study { question, to_read, to_do, exercise: exercise.clone() };
        self.complete(Lesson { study: Some(study), ..lesson })
    }

    /// A page with programs that is no lesson: nobody works through it.
    fn appendix(&mut self, page: &str, chapter: PathBuf, text: &str) -> Option<Lesson> {
        let (lesson, exercises) = self.chapter(page, page, chapter, text)?;
        for block in exercises {
            self.report(&lesson.chapter, Some(block.line), "only a lesson has an exercise");
        }
        self.complete(lesson)
    }

    /// What any page with programs has, and its blocks with `starter_breaks`.
    fn chapter(
        &mut self,
        page: &str,
        name: &str,
        chapter: PathBuf,
        text: &str,
    ) -> Option<(Lesson, Vec<Located>)> {
        let known = self.problems.len();
        let blocks = self.read(&chapter, blocks(text));
        let measured = self.read(&chapter, measured(text));
        let outcomes = self.read(&chapter, outcomes(text));
        let shown = self.read(&chapter, shown(text));
        if self.problems.len() > known {
            return None;
        }
        let located = |block: Block<_>| Located { line: block.line, scenario: block.says };
        let (exercises, scenarios): (Vec<_>, Vec<_>) = blocks
            .into_iter()
            .map(located)
            .partition(|block| block.scenario.starter_breaks.is_some());
        if scenarios.is_empty() {
            self.report(&chapter, None, "nothing is promised here; add a ` ```promise` block");
        }
        let lesson = Lesson {
            name: name.to_owned(),
            directory: Path::new("lessons").join(page),
            chapter,
            scenarios,
            study: None,
            measured,
            outcomes,
            shown,
        };
        Some((lesson, exercises))
    }

    /// Checks that all parts of a page with programs belong together.
    fn complete(&mut self, lesson: Lesson) -> Option<Lesson> {
        self.same_name_twice(&lesson);
        self.open_cells(&lesson);
        self.programs(&lesson);
        self.manifest(&lesson);
        Some(lesson)
    }

    fn same_name_twice(&mut self, lesson: &Lesson) {
        for (index, block) in lesson.scenarios.iter().enumerate() {
            let name = &block.scenario.name;
            if lesson.scenarios[..index].iter().any(|earlier| earlier.scenario.name == *name) {
                let message = match name {
                    Some(name) => format!("a second scenario with the name `{name}`"),
                    None => "a second scenario without a `name`".to_owned(),
                };
                self.report(&lesson.chapter, Some(block.line), message);
            }
        }
        for (index, block) in lesson.measured.iter().enumerate() {
            let name = &block.says.name;
            if lesson.measured[..index].iter().any(|earlier| earlier.says.name == *name) {
                let message = format!("a second `measured` block with the name `{name}`");
                self.report(&lesson.chapter, Some(block.line), message);
            }
        }
    }

    /// Each row of an outcome table has its scenario, and the scenario decides each cell.
    fn open_cells(&mut self, lesson: &Lesson) {
        for block in &lesson.outcomes {
            for row in &block.says.rows {
                let Some(located) = lesson.scenario(&row.scenario) else {
                    let message = format!("this chapter has no scenario `{}`", row.scenario);
                    self.report(&lesson.chapter, Some(block.line + row.line), message);
                    continue;
                };
                if !block.says.is_about(&located.scenario) {
                    let language = if block.says.python { "Python" } else { "Rust" };
                    let message = format!("no {language} program is run for `{}`", row.scenario);
                    self.report(&lesson.chapter, Some(block.line + row.line), message);
                }
                let columns = block.says.columns.iter();
                for column in columns.filter(|column| column.answer(&located.scenario).is_none()) {
                    let message = format!(
                        "this does not decide whether {} `{}`, which the table on line {} asks",
                        column.place, column.text, block.line
                    );
                    self.report(&lesson.chapter, Some(located.line), message);
                }
            }
        }
    }

    /// Each promise has its program, and each program its promise.
    fn programs(&mut self, lesson: &Lesson) {
        let mut needed = Vec::new();
        if let Some(study) = &lesson.study {
            let programs = [lesson.exercise_program(), lesson.solution_program()];
            let sources = programs.iter().map(|program| lesson.source(program));
            needed.extend(sources.map(|path| (study.exercise.line, path)));
        }
        for Located { line, scenario } in &lesson.scenarios {
            let program = lesson.program(scenario);
            if !scenario.is_python_only() {
                needed.push((*line, lesson.source(program)));
            }
            if scenario.python.is_some() {
                needed.push((*line, lesson.twin(program)));
            }
        }
        for (line, path) in &needed {
            if !self.root.join(path).is_file() {
                let message = format!("{} is missing", path.display());
                self.report(&lesson.chapter, Some(*line), message);
            }
        }
        for block in &lesson.measured {
            let source = match &block.says.source {
                Source::Program { program, .. } => lesson.source(program),
                Source::Test(target) => {
                    Path::new("tests/named").join(format!("{}.rs", target.replace('-', "_")))
                }
            };
            needed.push((block.line, source));
        }
        let directory = lesson.directory.display();
        let main = lesson.source(&lesson.name);
        let mut there: Vec<_> =
            [main].into_iter().filter(|path| self.root.join(path).is_file()).collect();
        if self.root.join(&lesson.directory).join("src/bin").is_dir() {
            let bins = self.names(&format!("{directory}/src/bin"), ".rs");
            there.extend(bins.iter().map(|program| lesson.source(program)));
        }
        let twins = self.names(&directory.to_string(), ".py");
        there.extend(twins.iter().map(|program| lesson.twin(program)));
        for path in there {
            if !needed.iter().any(|(_, needed)| *needed == path) {
                self.report(
                    path,
                    None,
                    format!("no promise in {} runs it", lesson.chapter.display()),
                );
            }
        }
    }

    fn manifest(&mut self, lesson: &Lesson) {
        let path = lesson.directory.join("Cargo.toml");
        let manifest: toml::Table = match self.text(&path).parse() {
            Ok(manifest) => manifest,
            Err(error) => return self.report(path, None, error.message().to_owned()),
        };
        // An appendix has no program of its own name.
        let keys = ["name", "default-run"];
        for key in keys.into_iter().take(if lesson.study.is_some() { 2 } else { 1 }) {
            let value = manifest.get("package").and_then(|package| package.get(key));
            if value.and_then(toml::Value::as_str) != Some(&lesson.name) {
                self.report(&path, None, format!("expected `{key} = \"{}\"`", lesson.name));
            }
        }
        for Located { line, scenario } in &lesson.scenarios {
            let Some(feature) = &scenario.feature else { continue };
            if manifest.get("features").and_then(|features| features.get(feature)).is_none() {
                let message = format!("{} has no feature `{feature}`", path.display());
                self.report(&lesson.chapter, Some(*line), message);
            }
        }
    }
}

/// An editor keeps such files beside those that it edits.
fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The line that a byte of a text is on, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

fn links_to(markdown: &str, page: &str) -> bool {
    Parser::new(markdown).any(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => dest_url.trim_start_matches("./") == page,
        _ => false,
    })
}

/// The text of the first heading.
fn title(markdown: &str) -> String {
    let is_heading = |event: &Event<'_>| {
        matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }))
    };
    Parser::new(markdown)
        .skip_while(|event| !is_heading(event))
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.into_string()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = "# The heartbeat
*Why does it not exit?*
*6 minutes to read, 10 minutes to do.*
{{#recording heartbeat}}
```promise
ends = 3.5
exit = 0
python = \"3.6\"
```

1. In a list:

   ```promise
   starter_breaks = [\"ends\"]
   ends = 2.5
   exit = 0
   ```
";

    /// A workbook with one lesson that has everything.
    struct Scratch(tempfile::TempDir);

    impl Scratch {
        fn new() -> Self {
            let scratch = Self(tempfile::tempdir().expect("a temporary directory"));
            scratch.write("book/chapters/SUMMARY.md", "- [The heartbeat](02-heartbeat.md)\n");
            scratch.write("book/chapters/02-heartbeat.md", CHAPTER);
            let manifest = "[package]\nname = \"heartbeat\"\ndefault-run = \"heartbeat\"\n";
            scratch.write("lessons/02-heartbeat/Cargo.toml", manifest);
            scratch.write("lessons/02-heartbeat/heartbeat.py", "");
            scratch.write("lessons/02-heartbeat/src/main.rs", "");
            scratch.write("lessons/02-heartbeat/src/bin/heartbeat-exercise.rs", "");
            scratch.write("lessons/02-heartbeat/src/bin/heartbeat-solution.rs", "");
            scratch.write("lessons/lesson-log/src/lib.rs", "");
            scratch
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            fs::write(path, text).expect("a file");
        }

        fn remove(&self, path: &str) {
            fs::remove_file(self.0.path().join(path)).expect("a file");
        }

        fn problems(&self) -> Vec<String> {
            let problems = Workbook::load(self.0.path()).map(drop).err().unwrap_or_default();
            problems.iter().map(Problem::to_string).collect()
        }
    }

    #[test]
    fn a_whole_workbook_is_read() {
        let scratch = Scratch::new();
        let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
        let lesson = workbook.lesson("heartbeat").expect("the lesson");
        assert_eq!(lesson.chapter, Path::new("book/chapters/02-heartbeat.md"));
        assert_eq!(lesson.scenarios[0].line, 5);
        let study = lesson.study.as_ref().expect("a lesson to work through");
        assert_eq!(study.question, "Why does it not exit?");
        assert_eq!((study.to_read, study.to_do), (6, 10));
        assert_eq!(study.exercise.line, 13);
    }

    #[test]
    fn what_a_new_lesson_forgot_is_named() {
        let scratch = Scratch::new();
        scratch.write("book/chapters/03-new.md", "# The `new` one\n");
        scratch.write("lessons/04-other/src/main.rs", "");
        assert_eq!(
            scratch.problems(),
            [
                "book/chapters/SUMMARY.md: a page is missing; add the line \
                 `- [The new one](03-new.md)`",
                "book/chapters/03-new.md: this chapter has no lesson; add the crate lessons/03-new",
                "lessons/04-other: this lesson has no chapter; add book/chapters/04-other.md",
            ]
        );
    }

    #[test]
    fn a_missing_program_is_named_with_the_line_of_its_promise() {
        let scratch = Scratch::new();
        for path in ["heartbeat.py", "src/main.rs", "src/bin/heartbeat-solution.rs"] {
            scratch.remove(&format!("lessons/02-heartbeat/{path}"));
        }
        let at = "book/chapters/02-heartbeat.md";
        assert_eq!(
            scratch.problems(),
            [
                format!("{at}:13: lessons/02-heartbeat/src/bin/heartbeat-solution.rs is missing"),
                format!("{at}:5: lessons/02-heartbeat/src/main.rs is missing"),
                format!("{at}:5: lessons/02-heartbeat/heartbeat.py is missing"),
            ]
        );
    }

    #[test]
    fn a_program_that_nothing_is_promised_of_is_named() {
        let scratch = Scratch::new();
        scratch.write("lessons/02-heartbeat/src/bin/heartbeat-joined.rs", "");
        scratch.write("lessons/02-heartbeat/heartbeat-joined.py", "");
        let message = "no promise in book/chapters/02-heartbeat.md runs it";
        assert_eq!(
            scratch.problems(),
            [
                format!("lessons/02-heartbeat/src/bin/heartbeat-joined.rs: {message}"),
                format!("lessons/02-heartbeat/heartbeat-joined.py: {message}"),
            ]
        );
    }

    #[test]
    fn a_promise_that_no_test_would_run_is_refused() {
        let scratch = Scratch::new();
        scratch.write("book/chapters/index.md", "# First\n\n```promise\nends = 1\nexit = 0\n```\n");
        scratch.write("book/chapters/SUMMARY.md", "[I](index.md)\n[H](02-heartbeat.md)\n");
        assert_eq!(
            scratch.problems(),
            ["book/chapters/index.md:3: no test would run this promise; \
              it belongs into a lesson's chapter"]
        );
        scratch.write("book/chapters/index.md", "# First\n\n```promises\nends = 1\n```\n");
        assert_eq!(
            scratch.problems(),
            ["book/chapters/index.md:3: ` ```promises` is not checked; write ` ```promise`"]
        );
    }

    #[test]
    fn a_mistake_in_a_block_is_named_with_its_own_line() {
        let scratch = Scratch::new();
        let at = "book/chapters/02-heartbeat.md";
        let chapter = CHAPTER.replace("python = \"3.6\"", "pyhton = \"3.6\"");
        scratch.write(at, &chapter);
        assert!(scratch.problems()[0].starts_with(&format!("{at}:8: unknown field `pyhton`")));
        // Also in a list, where the block is indented.
        let chapter = CHAPTER.replace("   exit = 0", "   exti = 0");
        scratch.write(at, &chapter);
        assert!(scratch.problems()[0].starts_with(&format!("{at}:16: unknown field `exti`")));
        // What is missing is missing from the whole block.
        scratch.write(at, &CHAPTER.replace("ends = 3.5\n", ""));
        assert_eq!(scratch.problems(), [format!("{at}:5: missing field `ends`")]);
    }

    #[test]
    fn a_chapter_has_one_exercise_and_names_that_differ() {
        let scratch = Scratch::new();
        let at = "book/chapters/02-heartbeat.md";
        scratch.write(at, &CHAPTER.replace("starter_breaks = [\"ends\"]", "name = \"a\""));
        let one = "a chapter has one promise block with `starter_breaks`";
        assert_eq!(scratch.problems(), [format!("{at}: 0 exercises; {one}")]);
        scratch.write(at, &format!("{CHAPTER}\n```promise\nends = 1\nexit = 0\n```\n"));
        assert_eq!(scratch.problems(), [format!("{at}:19: a second scenario without a `name`")]);
    }

    #[test]
    fn each_chapter_shows_a_run_and_each_run_has_its_recording() {
        let scratch = Scratch::new();
        let at = "book/chapters/02-heartbeat.md";
        let recordings = |scratch: &Scratch| -> Vec<String> {
            let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
            let problems = workbook.recordings().map(drop).err().unwrap_or_default();
            problems.iter().map(Problem::to_string).collect()
        };
        assert_eq!(
            recordings(&scratch),
            [format!(
                "{at}:4: book/recordings/heartbeat.toml is missing; \
                 `cargo run -- record heartbeat` makes it"
            )]
        );
        let recording = "ended = 1\nstdout = []\nthread = []\n";
        scratch.write("book/recordings/heartbeat.toml", recording);
        scratch.write("book/recordings/old.toml", recording);
        scratch.write("book/recordings/.old.toml.swp", "");
        scratch.write("lessons/02-heartbeat/src/bin/.#heartbeat-exercise.rs", "");
        assert_eq!(
            recordings(&scratch),
            ["book/recordings/old.toml: no chapter shows this recording"]
        );

        scratch.write(at, &CHAPTER.replace("#recording heartbeat", "#recording heartbaet"));
        assert_eq!(
            scratch.problems(),
            [format!("{at}:4: there is no scenario `heartbaet` to show a recording of")]
        );
        scratch.write(at, &CHAPTER.replace("{{#recording heartbeat}}", "{{#log heartbeat}}"));
        assert_eq!(
            scratch.problems(),
            [format!(
                "{at}:4: write `{{{{#recording <scenario>…}}}}` or `{{{{#log <scenario> <lines>}}}}`"
            )]
        );
        scratch.write(at, &CHAPTER.replace("{{#recording heartbeat}}", ""));
        assert_eq!(
            scratch.problems(),
            [format!("{at}: no run is shown; add a line `{{{{#recording heartbeat}}}}`")]
        );
    }

    #[test]
    fn a_table_of_outcomes_has_no_open_cell() {
        let scratch = Scratch::new();
        let at = "book/chapters/02-heartbeat.md";
        let table = "```outcomes
caption = \"c\"
head = \"h\"
[[row]]
scenario = \"heartbeat\"
title = \"t\"
[[column]]
title = \"t\"
stderr = \"beat\"
```
";
        scratch.write(at, &format!("{CHAPTER}{table}"));
        assert_eq!(
            scratch.problems(),
            [format!(
                "{at}:5: this does not decide whether stderr has `beat`, \
                 which the table on line 18 asks"
            )]
        );
        let decided = CHAPTER.replacen("exit = 0\n", "exit = 0\nstderr = [{ says = [] }]\n", 1);
        scratch.write(at, &format!("{decided}{table}"));
        assert_eq!(scratch.problems(), [""; 0]);
        let unknown = table.replace("\"heartbeat\"", "\"heartbeat::joined\"");
        scratch.write(at, &format!("{decided}{unknown}"));
        assert_eq!(
            scratch.problems(),
            [format!("{at}:22: this chapter has no scenario `heartbeat::joined`")]
        );
        let rust_only = decided.replacen("python = \"3.6\"\n", "", 1);
        scratch.remove("lessons/02-heartbeat/heartbeat.py");
        scratch.write(
            at,
            &format!("{rust_only}{}", table.replace("caption", "python = true\ncaption")),
        );
        assert_eq!(
            scratch.problems(),
            [format!("{at}:22: no Python program is run for `heartbeat`")]
        );
        scratch.write("lessons/02-heartbeat/heartbeat.py", "");
        let python_only = decided.replacen("ends", "program = \"heartbeat.py\"\nends", 1);
        scratch.write(at, &format!("{python_only}{table}"));
        assert!(
            scratch
                .problems()
                .contains(&format!("{at}:23: no Rust program is run for `heartbeat`"))
        );
        scratch.write(at, &format!("{decided}{}", table.replace("stderr", "stdrr")));
        assert!(scratch.problems()[0].starts_with(&format!("{at}:27: unknown field `stdrr`")));
        scratch.write("book/chapters/index.md", &format!("# First\n\n{table}"));
        scratch.write("book/chapters/SUMMARY.md", "[I](index.md)\n[H](02-heartbeat.md)\n");
        scratch.write(at, CHAPTER);
        assert_eq!(
            scratch.problems(),
            ["book/chapters/index.md:3: no scenario stands behind this; \
              it belongs into a lesson's chapter"]
        );
    }

    #[test]
    fn a_feature_stands_in_the_manifest() {
        let scratch = Scratch::new();
        let chapter = CHAPTER.replace("exit = 0\npython", "exit = 0\nfeature = \"kafka\"\npython");
        scratch.write("book/chapters/02-heartbeat.md", &chapter);
        assert_eq!(
            scratch.problems(),
            ["book/chapters/02-heartbeat.md:5: \
              lessons/02-heartbeat/Cargo.toml has no feature `kafka`"]
        );
        let manifest = "[package]\nname = \"heartbeat\"\ndefault-run = \"heartbeat\"\n\
                        [features]\nkafka = []\n";
        scratch.write("lessons/02-heartbeat/Cargo.toml", manifest);
        let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
        let lesson = workbook.lesson("heartbeat").expect("the lesson");
        assert_eq!(lesson.package(&lesson.scenarios[0].scenario), "heartbeat/kafka");
        let study = lesson.study.as_ref().expect("a lesson to work through");
        assert_eq!(lesson.package(&study.exercise.scenario), "heartbeat");
    }

    #[test]
    fn a_chapter_opens_with_its_question_and_its_minutes() {
        let at = "book/chapters/02-heartbeat.md";
        for (written, wrong) in [
            ("*Why does it not exit?*", ""),
            ("not exit?*", "not exit.*"),
            ("*6 minutes to read", "*six minutes to read"),
            ("10 minutes to do.*", "10 minutes.*"),
        ] {
            let scratch = Scratch::new();
            scratch.write(at, &CHAPTER.replace(written, wrong));
            let message = "a chapter begins with its title, its question (`*Why …?*`) and \
                           `*6 minutes to read, 10 minutes to do.*`";
            assert_eq!(scratch.problems(), [format!("{at}:1: {message}")]);
        }
    }

    #[test]
    fn an_appendix_may_have_programs() {
        let scratch = Scratch::new();
        let at = "book/chapters/claims.md";
        let page = "# Claims\n\n```promise\nprogram = \"claims-gc\"\nends = 1\nexit = 0\n```\n";
        scratch.write("book/chapters/SUMMARY.md", "[H](02-heartbeat.md)\n[C](claims.md)\n");
        scratch.write(at, page);
        scratch.write("lessons/claims/Cargo.toml", "[package]\nname = \"claims\"\n");
        scratch.write("lessons/claims/src/bin/claims-gc.rs", "");
        assert_eq!(scratch.problems(), [""; 0]);
        scratch.write("lessons/claims/src/bin/claims-lock.rs", "");
        assert_eq!(
            scratch.problems(),
            [format!("lessons/claims/src/bin/claims-lock.rs: no promise in {at} runs it")]
        );
        scratch.remove("lessons/claims/src/bin/claims-lock.rs");
        scratch.write(
            at,
            &format!("{page}\n```promise\nstarter_breaks = [\"ends\"]\nends = 1\nexit = 0\n```\n"),
        );
        assert_eq!(scratch.problems(), [format!("{at}:9: only a lesson has an exercise")]);
        scratch.remove(at);
        scratch.write("book/chapters/SUMMARY.md", "[H](02-heartbeat.md)\n");
        assert_eq!(
            scratch.problems(),
            ["lessons/claims: this lesson has no chapter; add book/chapters/claims.md"]
        );
    }

    #[test]
    fn the_manifest_names_the_lesson() {
        let scratch = Scratch::new();
        scratch.write("lessons/02-heartbeat/Cargo.toml", "[package]\nname = \"heartbaet\"\n");
        assert_eq!(
            scratch.problems(),
            [
                "lessons/02-heartbeat/Cargo.toml: expected `name = \"heartbeat\"`",
                "lessons/02-heartbeat/Cargo.toml: expected `default-run = \"heartbeat\"`",
            ]
        );
    }
}
