//! Reads the workbook from disk and says all that does not belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use super::summary::{self, Entry};
use super::{CHAPTERS, Chapter, Exercise, Lesson, Workbook, is_of_a_tool};
use crate::measured::Source;
use crate::page::{self, Block, Page, Place, Problem};
use crate::promise::{Language, Scenario};
use crate::recording::Recording;

/// The directory of the promises pages, in that of the chapters.
const PROMISES: &str = "promises";

/// What the preprocessor's `book.toml` has to say once there is a promises page.
const NOT_SEARCHED: &str = "[output.html.search.chapter] needs `\"promises\" = { enable = false }`: \
                            what only a test needs is not to be found before the lessons";

const SUMMARY: &str = "book/chapters/SUMMARY.md";

/// The directory of the recordings, relative to the root.
const RECORDINGS: &str = "book/recordings";

/// What stands among the lessons and is none.
const NO_LESSONS: [&str; 2] = ["lesson-log", "rustfmt.toml"];

pub(super) fn load(root: &Path) -> Result<Workbook, Vec<Problem>> {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut loader =
        Loader { root: &root, problems: &mut problems, notices: &mut notices, entries: Vec::new() };
    loader.entries = summary::read(&loader.text(Path::new(SUMMARY)));
    let crates = loader.names("lessons", "");
    let mut stems = loader.names(CHAPTERS, ".md");
    stems.retain(|stem| stem != "SUMMARY");
    let promises = match root.join(CHAPTERS).join(PROMISES).is_dir() {
        true => loader.names(&format!("{CHAPTERS}/{PROMISES}"), ".md"),
        false => Vec::new(),
    };
    let mut others = Vec::new();
    let mut owned: BTreeMap<&str, Vec<Page>> = BTreeMap::new();
    // A chapter of which a page cannot be read is not looked at further.
    let mut unread = BTreeSet::new();
    for stem in &stems {
        let file = format!("{stem}.md");
        let owner = owner(stem, &crates);
        if loader.is_a_note(stem, owner) {
            loader.leave_out(Path::new(CHAPTERS).join(file), "SUMMARY.md does not list it");
            continue;
        }
        let parent = owner.filter(|owner| owner != stem);
        let page = loader.page(&file, parent);
        match owner {
            Some(owner) => match page {
                Some(page) => owned.entry(owner).or_default().push(page),
                None => drop(unread.insert(owner)),
            },
            None if lesson_name(stem).is_some() => loader.no_lesson(stem, &crates),
            None => {
                page.iter().for_each(|page| loader.page_without_programs(page));
                others.extend(page);
            }
        }
    }
    loader.promises_pages(&promises, &crates, &mut owned, &mut unread);
    loader.missing_pages(&stems, &promises);
    let mut chapters = Vec::new();
    for directory in &crates {
        if unread.contains(directory.as_str()) {
            continue;
        }
        match owned.remove(directory.as_str()) {
            Some(pages) if stems.contains(directory) => {
                chapters.extend(loader.chapter(directory, pages));
            }
            pages => loader.no_chapter(directory, pages.is_some()),
        }
    }
    let pages = chapters.iter().flat_map(|chapter: &Chapter| &chapter.pages).chain(&others);
    let shown = loader.beside_the_pages(&pages.collect::<Vec<_>>());
    loader.recordings(&chapters);
    let mut workbook = Workbook { root, chapters, others, shown, notices: Vec::new() };
    problems.extend(unknown_recordings(&workbook));
    workbook.notices = notices;
    if problems.is_empty() { Ok(workbook) } else { Err(problems) }
}

pub(super) fn recordings(workbook: &Workbook) -> Result<BTreeMap<String, Recording>, Vec<Problem>> {
    let mut recordings = BTreeMap::new();
    let mut problems = Vec::new();
    for shown in workbook.chapters.iter().flat_map(Chapter::shown) {
        for scenario in &shown.says.scenarios {
            match Recording::load(&workbook.root, scenario) {
                Ok(recording) => drop(recordings.insert(scenario.clone(), recording)),
                Err(error) => problems.push(Problem::at(&shown.place, format!("{error:#}"))),
            }
        }
    }
    if problems.is_empty() { Ok(recordings) } else { Err(problems) }
}

fn unknown_recordings(workbook: &Workbook) -> Vec<Problem> {
    let mut problems = Vec::new();
    for chapter in &workbook.chapters {
        if chapter.shown().next().is_none() && chapter.lesson.is_some() {
            let message =
                format!("no run is shown; add a line `{{{{#recording {}}}}}`", chapter.name);
            problems.push(Problem::of(&chapter.page().path, message));
        }
        for shown in chapter.shown() {
            for name in &shown.says.scenarios {
                let message = match workbook.scenario(name) {
                    None => format!("there is no scenario `{name}` to show a recording of"),
                    Some((_, block)) => match block.says.language() {
                        Some(language) => {
                            format!(
                                "`{name}` is a {language} program; recordings are of Rust programs"
                            )
                        }
                        None => continue,
                    },
                };
                problems.push(Problem::at(&shown.place, message));
            }
        }
    }
    problems
}

/// The lesson that a numbered page or directory is about: `02-heartbeat` → `heartbeat`. A copy that a
/// desktop has made, `02-heartbeat (1)`, is about none.
pub fn lesson_name(stem: &str) -> Option<&str> {
    let (number, name) = stem.split_once('-')?;
    let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (is_number && name.bytes().all(is_ours)).then_some(name)
}

/// The crate that a page belongs to: it has the page's name, or the page's name goes on behind it.
/// The longest name that matches owns the page.
fn owner<'a>(stem: &str, crates: &'a [String]) -> Option<&'a str> {
    let owns = |directory: &&String| {
        let rest = stem.strip_prefix(directory.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    crates.iter().filter(owns).max_by_key(|directory| directory.len()).map(String::as_str)
}

/// Reads the workbook and keeps what is wrong with it.
struct Loader<'a> {
    root: &'a Path,
    problems: &'a mut Vec<Problem>,
    notices: &'a mut Vec<Problem>,
    /// The lines of SUMMARY.md.
    entries: Vec<Entry>,
}

impl Loader<'_> {
    fn report(&mut self, path: impl Into<PathBuf>, message: impl Into<String>) {
        self.problems.push(Problem::of(path, message));
    }

    fn report_at(&mut self, place: &Place, message: impl Into<String>) {
        self.problems.push(Problem::at(place, message));
    }

    /// Tells of what is no part of the workbook, and why.
    fn leave_out(&mut self, path: impl Into<PathBuf>, why: impl Display) {
        self.notices.push(Problem::of(path, format!("left out: {why}")));
    }

    /// Whether a page is a reader's own: SUMMARY.md does not list it, and it has no number, or else the
    /// name of a lesson and nothing that only a page of the workbook has.
    fn is_a_note(&self, stem: &str, owner: Option<&str>) -> bool {
        let file = format!("{stem}.md");
        if self.entries.iter().any(|entry| entry.path == file) {
            return false;
        }
        match owner {
            Some(owner) if owner == stem && lesson_name(stem).is_some() => false,
            Some(_) => {
                let path = Path::new(CHAPTERS).join(&file);
                let text = fs::read_to_string(self.root.join(&path)).unwrap_or_default();
                page::read(&path, text).is_ok_and(|page| {
                    let blocks = page.promises.len() + page.measured.len() + page.outcomes.len();
                    blocks + page.exams.len() + page.shown.len() == 0 && page.minutes.is_none()
                })
            }
            None => lesson_name(stem).is_none(),
        }
    }

    /// What stands beside the chapters and is shown by one of them, relative to the chapters. Anything
    /// else is left out.
    fn beside_the_pages(&mut self, pages: &[&Page]) -> Vec<PathBuf> {
        let chapters = self.root.join(CHAPTERS);
        let mut shown = Vec::new();
        for name in self.names(CHAPTERS, "") {
            let top = chapters.join(&name);
            if name == PROMISES || name.ends_with(".md") && !top.is_dir() {
                continue;
            }
            let files = walkdir::WalkDir::new(&top).sort_by_file_name().into_iter();
            let files = files.filter_entry(|entry| !is_of_a_tool(entry.file_name())).flatten();
            let files = files.filter(|entry| !entry.file_type().is_dir());
            let below = files
                .filter_map(|entry| Some(entry.path().strip_prefix(&chapters).ok()?.to_owned()));
            let is_shown = |path: &PathBuf| {
                // In Markdown, from a page in another directory, and in HTML.
                let links = ["(", "/", "\""].map(|before| format!("{before}{}", path.display()));
                let leads = |page: &&Page| links.iter().any(|link| page.text.contains(link));
                chapters.join(path).is_file() && pages.iter().any(leads)
            };
            let (theirs, strange): (Vec<_>, Vec<_>) = below.partition(is_shown);
            let strange = if theirs.is_empty() { vec![name.into()] } else { strange };
            for path in strange {
                self.leave_out(Path::new(CHAPTERS).join(path), "no chapter shows it");
            }
            shown.extend(theirs);
        }
        shown
    }

    fn recordings(&mut self, chapters: &[Chapter]) {
        let shown = chapters.iter().flat_map(Chapter::shown);
        let shown = shown.flat_map(|shown| &shown.says.scenarios);
        let known: Vec<_> = shown.map(|scenario| Recording::path(scenario)).collect();
        if !self.root.join(RECORDINGS).is_dir() {
            return;
        }
        for name in self.names(RECORDINGS, "") {
            let path = Path::new(RECORDINGS).join(name);
            if !known.contains(&path) {
                self.leave_out(path, "no chapter shows this recording");
            }
        }
    }

    /// The names of what stands in a directory and ends like this, without that ending, sorted; but for
    /// what a reader's tools leave.
    fn names(&mut self, directory: &str, ending: &str) -> Vec<String> {
        let entries = walkdir::WalkDir::new(self.root.join(directory)).min_depth(1).max_depth(1);
        let mut names = Vec::new();
        for entry in entries.sort_by_file_name() {
            match entry {
                Ok(entry) if is_of_a_tool(entry.file_name()) => {}
                Ok(entry) => {
                    let name = entry.file_name().to_string_lossy();
                    names.extend(name.strip_suffix(ending).map(str::to_owned));
                }
                Err(error) => {
                    let error = error.io_error().map(ToString::to_string).unwrap_or_default();
                    self.report(directory, format!("cannot be read: {error}"));
                }
            }
        }
        names
    }

    fn text(&mut self, path: &Path) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| {
            self.report(path, format!("cannot be read: {error}"));
            String::new()
        })
    }

    /// A page, if nothing is wrong in it; what is wrong is reported. `parent` is the lesson's directory
    /// if it is a deeper page.
    fn page(&mut self, file: &str, parent: Option<&str>) -> Option<Page> {
        let path = Path::new(CHAPTERS).join(file);
        let text = self.text(&path);
        let page = page::read(&path, text);
        let title = page.as_ref().map_or("…", |page| &page.title);
        match (self.entries.iter().find(|entry| entry.path == file), parent) {
            (None, None) => {
                let line = format!("- [{title}]({file})");
                self.report(SUMMARY, format!("a page is missing; add the line `{line}`"));
            }
            (None, Some(parent)) => {
                let line = format!("  - [{title}]({file})");
                let message = format!("a page is missing; add the line `{line}` below {parent}.md");
                self.report(SUMMARY, message);
            }
            (Some(entry), Some(parent))
                if entry.parent.as_ref() != Some(&format!("{parent}.md")) =>
            {
                let place = Place { path: SUMMARY.into(), line: entry.line };
                let message = format!("{file} is a deeper page; nest its line below {parent}.md");
                self.report_at(&place, message);
            }
            _ => {}
        }
        match page {
            Ok(page) => Some(page),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// Each promises page has its lesson, which leads to it, and stands with the others at the end.
    fn promises_pages<'a>(
        &mut self,
        stems: &[String],
        crates: &'a [String],
        owned: &mut BTreeMap<&'a str, Vec<Page>>,
        unread: &mut BTreeSet<&'a str>,
    ) {
        let last = self.entries.last().map_or(0, |entry| entry.part);
        for stem in stems {
            let file = format!("{PROMISES}/{stem}.md");
            let path = Path::new(CHAPTERS).join(&file);
            let Some(owner) = crates.iter().find(|directory| *directory == stem) else {
                let is_listed = self.entries.iter().any(|entry| entry.path == file);
                if !is_listed && lesson_name(stem).is_none() {
                    self.leave_out(path, "SUMMARY.md does not list it");
                    continue;
                }
                let message = "no lesson has this name; a promises page is called as its lesson's \
                               directory";
                self.report(path, message);
                continue;
            };
            let Some(page) = self.page(&file, None) else {
                unread.insert(owner);
                continue;
            };
            if page.promises.is_empty() {
                self.report(&path, "nothing is promised here; add a ` ```promise` block");
            }
            let pages = owned.entry(owner).or_default();
            let mut links = pages.iter().flat_map(|page| &page.links);
            // The link may stand on the page that cannot be read.
            if !unread.contains(owner.as_str()) && !links.any(|link| leads_to(link, &file)) {
                let chapter = Path::new(CHAPTERS).join(format!("{stem}.md"));
                self.report(chapter, format!("nothing leads to {file}; add a link to it"));
            }
            pages.push(page);
        }
        let is_promises = |entry: &Entry| entry.path.starts_with(&format!("{PROMISES}/"));
        // Where none of them stands in the last part, the others are right there.
        let is_theirs = self.entries.iter().any(|entry| is_promises(entry) && entry.part == last);
        let wrong = self.entries.iter().filter(|entry| match is_promises(entry) {
            true => entry.part != last,
            false => is_theirs && entry.part == last,
        });
        let wrong = wrong.map(|entry| {
            let message = match is_promises(entry) {
                true => {
                    "a promises page stands in the last part, so that the next arrow leads from \
                         lesson to lesson"
                }
                false => {
                    "the last part has promises pages alone; give them a title or a line `---` of \
                         their own"
                }
            };
            Problem::at(&Place { path: SUMMARY.into(), line: entry.line }, message)
        });
        let wrong: Vec<_> = wrong.collect();
        self.problems.extend(wrong);
        if !stems.is_empty() {
            let path = Path::new("book/book.toml");
            let config: toml::Table = self.text(path).parse().unwrap_or_default();
            let mut keys = ["output", "html", "search", "chapter", PROMISES, "enable"].into_iter();
            let config = toml::Value::Table(config);
            let enabled = keys.try_fold(&config, |table, key| table.get(key));
            if enabled.and_then(toml::Value::as_bool) != Some(false) {
                self.report(path, NOT_SEARCHED);
            }
        }
    }

    /// Each line of SUMMARY.md has its file.
    fn missing_pages(&mut self, stems: &[String], promises: &[String]) {
        let is_there = |entry: &&Entry| {
            let stem = entry.path.strip_suffix(".md").unwrap_or_default();
            match stem.strip_prefix(&format!("{PROMISES}/")) {
                Some(stem) => promises.iter().any(|known| known == stem),
                None => stems.iter().any(|known| known == stem),
            }
        };
        let missing = self.entries.iter().filter(|entry| !is_there(entry));
        let missing = missing.map(|entry| {
            let message = format!("there is no {CHAPTERS}/{}", entry.path);
            Problem::at(&Place { path: SUMMARY.into(), line: entry.line }, message)
        });
        let missing: Vec<_> = missing.collect();
        self.problems.extend(missing);
    }

    fn no_lesson(&mut self, stem: &str, crates: &[String]) {
        let number = |name: &str| lesson_name(name).map(|_| name[..2].to_owned());
        let same = crates.iter().find(|directory| number(directory) == number(stem));
        let deeper = same.map(|directory| {
            format!(", or call it {directory}-<subject>.md, as a deeper page of that lesson")
        });
        let file = format!("{stem}.md");
        let is_listed = self.entries.iter().any(|entry| entry.path == file);
        let note = if is_listed { "" } else { "; a note of your own has no number" };
        let deeper = deeper.unwrap_or_default();
        let message =
            format!("this chapter has no lesson; add the crate lessons/{stem}{deeper}{note}");
        self.report(Path::new(CHAPTERS).join(file), message);
    }

    fn no_chapter(&mut self, directory: &str, has_pages: bool) {
        let path = Path::new("lessons").join(directory);
        let chapter = format!("{CHAPTERS}/{directory}.md");
        let is_listed = self.entries.iter().any(|one| one.path == format!("{directory}.md"));
        let is_there = self.root.join(&chapter).exists();
        if (has_pages || is_listed) && !is_there {
            self.report(path, format!("this lesson has no chapter; add {chapter}"));
        } else if !NO_LESSONS.contains(&directory) {
            match lesson_name(directory) {
                Some(_) => self.leave_out(path, format!("there is no {chapter}")),
                None => self.leave_out(path, "there is no chapter of this name"),
            }
        }
    }

    fn page_without_programs(&mut self, page: &Page) {
        for block in &page.promises {
            let message = "no test would run this promise; it belongs into a lesson's chapter";
            self.report_at(&block.place, message);
        }
        for block in &page.measured {
            let message = "no test would measure this; it belongs into a lesson's chapter";
            self.report_at(&block.place, message);
        }
        for block in &page.exams {
            let message = "no test would hold this exam; it belongs into a lesson's chapter";
            self.report_at(&block.place, message);
        }
        for block in &page.outcomes {
            let message = "no scenario stands behind this; it belongs into a lesson's chapter";
            self.report_at(&block.place, message);
        }
    }

    /// The pages of a crate, of which the first has its name, as a chapter.
    fn chapter(&mut self, directory: &str, mut pages: Vec<Page>) -> Option<Chapter> {
        let place = |page: &Page| {
            let file = page.path.strip_prefix(CHAPTERS).map(Path::to_string_lossy);
            let file = file.unwrap_or_default();
            self.entries.iter().position(|entry| entry.path == file)
        };
        pages.sort_by_key(place);
        let own = Path::new(CHAPTERS).join(format!("{directory}.md"));
        pages.sort_by_key(|page| page.path != own);
        let name = lesson_name(directory);
        let mut chapter = Chapter {
            name: name.unwrap_or(directory).to_owned(),
            directory: Path::new("lessons").join(directory),
            pages,
            lesson: None,
            crates: Vec::new(),
        };
        let crates = self.names(&chapter.directory.to_string_lossy(), "");
        let is_crate = |name: &String| {
            self.root.join(&chapter.directory).join(name).join("Cargo.toml").is_file()
        };
        chapter.crates = crates.into_iter().filter(is_crate).collect();
        if chapter.scenarios().next().is_none() {
            self.report(&own, "nothing is promised here; add a ` ```promise` block");
        }
        if name.is_some() {
            chapter.lesson = Some(self.lesson(&chapter)?);
        } else {
            for place in exercises(&chapter) {
                self.report_at(place, "only a lesson has an exercise");
            }
        }
        self.openings(&chapter);
        self.same_name_twice(&chapter);
        self.open_cells(&chapter);
        self.programs(&chapter);
        self.manifest(&chapter);
        Some(chapter)
    }

    fn lesson(&mut self, chapter: &Chapter) -> Option<Lesson> {
        let own = chapter.page();
        let exercises: Vec<_> = exercises(chapter).collect();
        if exercises.len() != 1 {
            let message = format!(
                "{} exercises; a lesson has one promise block with `starter_breaks`, or one `exam`",
                exercises.len()
            );
            match exercises.get(1) {
                Some(second) => self.report_at(second, message),
                None => self.report(&own.path, message),
            }
            return None;
        }
        let exam = chapter.exams().next().cloned().map(Exercise::Exam);
        let promised = || promised_exercises(chapter).next().cloned().map(Exercise::Promises);
        let exercise = exam.or_else(promised)?;
        let to_do = own.minutes.as_ref().and_then(|minutes| minutes.says);
        let (Some(question), Some(to_do)) = (own.question.clone(), to_do) else {
            let message = "a chapter begins with its title, its question (`*Why …?*`) and \
                           `{{#minutes 10}}`, the minutes that its programs and its exercise take";
            self.report_at(&Place { path: own.path.clone(), line: 1 }, message);
            return None;
        };
        Some(Lesson { question, to_do, exercise })
    }

    /// Deeper pages are chosen by their question, as lessons are.
    fn openings(&mut self, chapter: &Chapter) {
        let directory = Path::new(CHAPTERS).join(PROMISES);
        for page in &chapter.pages[1..] {
            let is_deeper = !page.path.starts_with(&directory);
            let has_minutes = page.minutes.as_ref().is_some_and(|block| block.says.is_none());
            if is_deeper && (page.question.is_none() || !has_minutes) {
                let message = "a deeper page begins with its title, its question (`*Why …?*`) and \
                               `{{#minutes}}`";
                self.report_at(&Place { path: page.path.clone(), line: 1 }, message);
            }
        }
    }

    fn same_name_twice(&mut self, chapter: &Chapter) {
        let mut names = BTreeSet::new();
        for block in chapter.scenarios() {
            if !names.insert(&block.says.name) {
                let message = match &block.says.name {
                    Some(name) => format!("a second scenario with the name `{name}`"),
                    None => "a second scenario without a `name`".to_owned(),
                };
                self.report_at(&block.place, message);
            }
        }
        let mut names = BTreeSet::new();
        for block in chapter.measured() {
            if !names.insert(&block.says.name) {
                let message =
                    format!("a second `measured` block with the name `{}`", block.says.name);
                self.report_at(&block.place, message);
            }
        }
    }

    /// Each row of an outcome table has its scenario, and the scenario decides each cell.
    fn open_cells(&mut self, chapter: &Chapter) {
        for block in chapter.outcomes() {
            for row in &block.says.rows {
                let path = block.place.path.clone();
                let place = Place { path, line: block.place.line + row.line };
                let Some(scenario) = chapter.scenario(&row.scenario) else {
                    let message = format!("this chapter has no scenario `{}`", row.scenario);
                    self.report_at(&place, message);
                    continue;
                };
                if !block.says.is_about(&scenario.says) {
                    let language = if block.says.python { "Python" } else { "Rust" };
                    let message = format!("no {language} program is run for `{}`", row.scenario);
                    self.report_at(&place, message);
                }
                let columns = block.says.columns.iter();
                for column in columns.filter(|column| column.answer(&scenario.says).is_none()) {
                    let message = format!(
                        "this does not decide whether {} `{}`, which the table {} asks",
                        column.medium,
                        column.text,
                        match &block.place {
                            Place { path, line } if *path == scenario.place.path => {
                                format!("on line {line}")
                            }
                            elsewhere => format!("at {elsewhere}"),
                        }
                    );
                    self.report_at(&scenario.place, message);
                }
            }
        }
    }

    /// Each promise has its program, and each program its promise.
    fn programs(&mut self, chapter: &Chapter) {
        let mut needed = Vec::new();
        if let Some(lesson) = &chapter.lesson {
            let place = lesson.exercise.place();
            needed.push((place, chapter.source(&chapter.solution_program())));
            if let Exercise::Exam(exam) = &lesson.exercise {
                let solutions = exam.says.solutions.keys();
                let twin = |language: &Language| chapter.twin(&chapter.name, *language);
                needed.extend(solutions.map(|language| (place, twin(language))));
            }
        }
        for Block { place, says: scenario, .. } in chapter.scenarios() {
            let program = chapter.program(scenario);
            if scenario.language().is_none() {
                needed.push((place, chapter.source(program)));
            }
            let twins = scenario.twins.keys();
            needed.extend(twins.map(|language| (place, chapter.twin(program, *language))));
        }
        for (place, path) in &needed {
            if !self.root.join(path).is_file() {
                self.report_at(place, format!("{} is missing", path.display()));
            }
        }
        if let Some(lesson) = &chapter.lesson {
            // It is the reader's: without it the other lessons are checked all the same.
            let exercise = chapter.source(&chapter.exercise_program());
            needed.push((lesson.exercise.place(), exercise));
        }
        for block in chapter.measured() {
            let source = match &block.says.source {
                Source::Program { program, .. } => chapter.source(program),
                Source::Test(target) => {
                    Path::new("tests/named").join(format!("{}.rs", target.replace('-', "_")))
                }
            };
            needed.push((&block.place, source));
        }
        let directory = chapter.directory.display().to_string();
        let of_crates = chapter.crates.iter().map(|name| format!("{}-{name}", chapter.name));
        let mains = of_crates.chain([chapter.name.clone()]).map(|program| chapter.source(&program));
        let mut there: Vec<_> = mains.filter(|path| self.root.join(path).is_file()).collect();
        let twins = Language::ALL.map(|language| ("", language.suffix()));
        for (part, ending) in [("src/bin", "")].into_iter().chain(twins) {
            let part = Path::new(&directory).join(part);
            if self.root.join(&part).is_dir() {
                let names = self.names(&part.to_string_lossy(), ending);
                there.extend(names.iter().map(|name| part.join(format!("{name}{ending}"))));
            }
        }
        let own = chapter.page().path.display();
        for path in there {
            if !needed.iter().any(|(_, needed)| *needed == path) {
                self.leave_out(path, format!("no promise in {own} runs it"));
            }
        }
        let errors = chapter.directory.join("compile-fail");
        if self.root.join(&errors).is_dir() {
            for name in self.names(&errors.to_string_lossy(), "") {
                let path = errors.join(name);
                let both = ["rs", "stderr"].map(|ending| path.with_extension(ending));
                if !both.iter().any(|path| chapter.includes(path)) {
                    self.leave_out(path, format!("{own} does not include it"));
                }
            }
        }
    }

    /// The manifest of a package, which has its name under some keys and is a member of the workspace.
    fn package(&mut self, directory: &Path, name: &str, keys: &[&str]) -> Option<toml::Table> {
        let path = directory.join("Cargo.toml");
        let manifest: toml::Table = match self.text(&path).parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                self.report(path, error.message());
                return None;
            }
        };
        for key in keys {
            let value = manifest.get("package").and_then(|package| package.get(*key));
            if value.and_then(toml::Value::as_str) != Some(name) {
                self.report(&path, format!("expected `{key} = \"{name}\"`"));
            }
        }
        let root = fs::read_to_string(self.root.join("Cargo.toml")).unwrap_or_default();
        let members = root.parse::<toml::Table>().ok();
        let members = members.as_ref().and_then(|root| root.get("workspace")?.get("members"));
        let directory = directory.to_string_lossy();
        if let Some(members) = members.and_then(toml::Value::as_array)
            && !members.iter().any(|member| member.as_str() == Some(&*directory))
        {
            self.report("Cargo.toml", format!("add `\"{directory}\"` to the members"));
        }
        Some(manifest)
    }

    fn manifest(&mut self, chapter: &Chapter) {
        // An appendix has no program of its own name.
        let keys = ["name", "default-run"];
        let keys = &keys[..if chapter.lesson.is_some() { 2 } else { 1 }];
        let path = chapter.directory.join("Cargo.toml");
        let Some(manifest) = self.package(&chapter.directory, &chapter.name, keys) else { return };
        for name in &chapter.crates {
            let package = format!("{}-{name}", chapter.name);
            // A reader's own is told of as a program that no promise runs.
            if chapter.scenarios().all(|block| chapter.program(&block.says) != package) {
                continue;
            }
            self.package(&chapter.directory.join(name), &package, &["name"]);
        }
        for Block { place, says: scenario, .. } in chapter.scenarios() {
            let Some(feature) = &scenario.feature else { continue };
            if manifest.get("features").and_then(|features| features.get(feature)).is_none() {
                let message = format!("{} has no feature `{feature}`", path.display());
                self.report_at(place, message);
            }
        }
    }
}

/// Where a chapter has an exercise.
fn exercises(chapter: &Chapter) -> impl Iterator<Item = &Place> {
    let promised = promised_exercises(chapter).map(|block| &block.place);
    promised.chain(chapter.exams().map(|block| &block.place))
}

/// The promise blocks of a chapter that are about an exercise.
fn promised_exercises(chapter: &Chapter) -> impl Iterator<Item = &Block<Scenario>> {
    let promises = chapter.pages.iter().flat_map(|page| &page.promises);
    promises.filter(|block| block.says.starter_breaks.is_some())
}

/// Whether a link that stands in a page of the chapters' directory leads to a file there.
fn leads_to(link: &str, file: &str) -> bool {
    let path = link.split('#').next().unwrap_or_default();
    path.trim_start_matches("./") == file
}

#[cfg(test)]
mod tests;
