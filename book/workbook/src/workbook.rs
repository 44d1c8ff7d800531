//! The workbook on disk: which lessons there are, and what their chapters promise.

mod load;
mod summary;
mod tools;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use crate::exam::Exam;
use crate::measured::Measured;
use crate::outcomes::Outcomes;
use crate::page::{Block, Page, Place, Problem, Shown};
use crate::promise::line::Line;
use crate::promise::{Language, Scenario};
use crate::recording::{Recording, lesson_of};

pub use load::lesson_name;
pub use tools::is_of_a_tool;

/// The line that a reader deletes to have an exercise judged begins so.
pub const MARKER: &str = "// YOUR TURN";

/// The number of the line, from 1, that marks an exercise as not begun: a comment that begins with `YOUR
/// TURN`, or with it in another case if no sentence goes on from it.
pub fn marker_line(program: &str) -> Option<usize> {
    let is_marker = |line: &str| {
        let (code, comment) = line.split_once("//").or_else(|| line.split_once("/*"))?;
        let comment = comment.trim_start_matches(['/', '!', '*']).trim_start();
        let words = comment.to_lowercase();
        let rest = words.strip_prefix("your")?.trim_start().strip_prefix("turn")?;
        let is_a_word = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let ends = rest.trim_start();
        let ends = ends.is_empty() || ends.starts_with([':', '.', '!', '*', '-']);
        let is_text = code.contains('"');
        (!is_text && is_a_word && (ends || comment.starts_with("YOUR"))).then_some(())
    };
    program.lines().position(|line| is_marker(line).is_some()).map(|index| index + 1)
}

/// Where the pages are, relative to the root.
pub const CHAPTERS: &str = "book/chapters";

/// Everything that the book is made of.
#[derive(Debug)]
pub struct Workbook {
    /// The directory that holds `book/` and `lessons/`.
    pub root: PathBuf,
    /// The chapters with programs, in reading order.
    pub chapters: Vec<Chapter>,
    /// The pages without programs.
    pub others: Vec<Page>,
    /// What stands beside the chapters and is shown by one of them, a picture for instance; relative to
    /// the chapters.
    pub shown: Vec<PathBuf>,
    /// What lies among the workbook's files and is no part of it: a reader's note, or a piece that
    /// whoever wrote it forgot to make known. It is left out, and that is told.
    pub notices: Vec<Problem>,
}

/// A crate under `lessons/` and its pages.
#[derive(Debug)]
pub struct Chapter {
    /// The package's name, such as `heartbeat`.
    pub name: String,
    /// Its directory, relative to the root, such as `lessons/02-heartbeat`.
    pub directory: PathBuf,
    /// Its own page, then its deeper pages in the order of SUMMARY.md, then its promises page. All of
    /// them together say what its programs do.
    pub pages: Vec<Page>,
    /// What makes it a lesson, which a reader works through; an appendix with programs has none.
    pub lesson: Option<Lesson>,
    /// The crates below its directory, for a program that needs what the others are to be built
    /// without: `cpp` is the package `heartbeat-cpp`, with a program of this name.
    pub crates: Vec<String>,
}

/// What a lesson has and an appendix has not.
#[derive(Debug)]
pub struct Lesson {
    /// What the reader may have asked before opening the book.
    pub question: String,
    /// Minutes to run its programs and do the exercise.
    pub to_do: u32,
    /// What the exercise has to keep, and its solution keeps.
    pub exercise: Exercise,
}

/// What an exercise is judged by.
#[derive(Debug)]
pub enum Exercise {
    /// What the chapter promises of it.
    Promises(Block<Scenario>),
    /// The exam that it sits.
    Exam(Block<Exam>),
}

impl Exercise {
    /// Where its block stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Promises(block) => &block.place,
            Self::Exam(block) => &block.place,
        }
    }

    /// What is promised of it, if no exam judges it.
    pub fn promises(&self) -> Option<&Block<Scenario>> {
        match self {
            Self::Promises(block) => Some(block),
            Self::Exam(_) => None,
        }
    }
}

impl Workbook {
    /// The root of the checkout: the directory above a package that holds the chapters. What cargo runs
    /// belongs to the package that cargo names, anything else to the one that it was compiled in.
    pub fn home() -> PathBuf {
        let package =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let package = Path::new(&package);
        let has_chapters = |directory: &&Path| directory.join(CHAPTERS).is_dir();
        package.ancestors().find(has_chapters).unwrap_or(package).to_owned()
    }

    /// Reads `lessons/` and `book/chapters/` below a root and checks that they belong together.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its file and line: a block that is not a promise, a chapter
    /// without a lesson, a page missing from SUMMARY.md or in the wrong place there, a program or a twin
    /// that is missing.
    pub fn load(root: &Path) -> Result<Self, Vec<Problem>> {
        load::load(root)
    }

    /// The chapter of this name.
    pub fn chapter(&self, name: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|chapter| chapter.name == name)
    }

    /// The chapters that a reader works through.
    pub fn lessons(&self) -> impl Iterator<Item = (&Chapter, &Lesson)> {
        self.chapters.iter().filter_map(|chapter| Some((chapter, chapter.lesson.as_ref()?)))
    }

    /// A page by its path below the chapters, such as `02-heartbeat.md`, and the chapter that owns it.
    pub fn page(&self, path: &Path) -> Option<(&Page, Option<&Chapter>)> {
        let path = Path::new(CHAPTERS).join(path);
        let owned = self.chapters.iter();
        let owned = owned.flat_map(|one| one.pages.iter().map(move |page| (page, Some(one))));
        let mut all = owned.chain(self.others.iter().map(|page| (page, None)));
        all.find(|(page, _)| page.path == path)
    }

    /// Every scenario as one line, sorted, and where it stands; the exercises, too.
    pub fn promises(&self) -> Vec<(String, &Place)> {
        let pages = self.chapters.iter().flat_map(|chapter| {
            chapter
                .pages
                .iter()
                .flat_map(|page| &page.promises)
                .map(|block| (&*chapter.name, block))
        });
        let mut lines: Vec<_> = pages
            .map(|(lesson, block)| {
                (Line { lesson, scenario: &block.says }.to_string(), &block.place)
            })
            .collect();
        let exams = self.chapters.iter().flat_map(|chapter| {
            chapter.exams().map(|block| (format!("{} {}", chapter.name, block.says), &block.place))
        });
        lines.extend(exams);
        lines.sort();
        lines
    }

    /// The scenario of this full name, such as `heartbeat::joined`, and its chapter.
    pub fn scenario(&self, name: &str) -> Option<(&Chapter, &Block<Scenario>)> {
        let chapter = self.chapter(lesson_of(name))?;
        Some((chapter, chapter.scenario(name)?))
    }

    /// The `measured` block of a chapter that has this name.
    pub fn measured(&self, chapter: &str, name: &str) -> Option<&Measured> {
        let mut blocks = self.chapter(chapter)?.measured();
        blocks.find(|block| block.says.name == name).map(|block| &block.says)
    }

    /// The recordings that the chapters show, by the full names of their scenarios.
    ///
    /// # Errors
    ///
    /// Each recording that is missing or unreadable.
    pub fn recordings(&self) -> Result<BTreeMap<String, Recording>, Vec<Problem>> {
        load::recordings(self)
    }
}

impl Chapter {
    /// Its own page, with which it begins.
    pub fn page(&self) -> &Page {
        &self.pages[0]
    }

    /// What its pages promise of its programs, but for the exercise.
    pub fn scenarios(&self) -> impl Iterator<Item = &Block<Scenario>> {
        let promises = self.pages.iter().flat_map(|page| &page.promises);
        promises.filter(|block| block.says.starter_breaks.is_none())
    }

    /// The figures that its pages tell without promising them.
    pub fn measured(&self) -> impl Iterator<Item = &Block<Measured>> {
        self.pages.iter().flat_map(|page| &page.measured)
    }

    /// The tables of its pages that show several scenarios side by side.
    pub fn outcomes(&self) -> impl Iterator<Item = &Block<Outcomes>> {
        self.pages.iter().flat_map(|page| &page.outcomes)
    }

    /// The exams of its pages: one, where its exercise is judged by it.
    pub fn exams(&self) -> impl Iterator<Item = &Block<Exam>> {
        self.pages.iter().flat_map(|page| &page.exams)
    }

    /// The recordings that its pages show.
    pub fn shown(&self) -> impl Iterator<Item = &Block<Shown>> {
        self.pages.iter().flat_map(|page| &page.shown)
    }

    /// Whether its pages include a file, whose path is relative to the root.
    pub fn includes(&self, path: &Path) -> bool {
        let line = format!("{{{{#include ../../{}", path.display());
        self.pages.iter().any(|page| page.text.contains(&line))
    }

    /// The scenario of this full name, such as `heartbeat::joined`.
    pub fn scenario(&self, name: &str) -> Option<&Block<Scenario>> {
        self.scenarios().find(|block| block.says.full_name(&self.name) == name)
    }

    /// The program that a scenario runs; of one in another language, the one whose twin it is.
    pub fn program<'a>(&'a self, scenario: &'a Scenario) -> &'a str {
        let program = scenario.program.as_ref().map_or(&*self.name, |program| program.get_ref());
        Language::of(program).0
    }

    /// What is built to run a scenario: the package, with the feature that it needs.
    pub fn package(&self, scenario: &Scenario) -> String {
        match &scenario.feature {
            Some(feature) => format!("{}/{feature}", self.name),
            None => self.package_of(self.program(scenario)).to_owned(),
        }
    }

    /// The package that has a program: the chapter's own, or that of a crate below it.
    pub fn package_of<'a>(&'a self, program: &'a str) -> &'a str {
        if self.crate_of(program).is_some() { program } else { &self.name }
    }

    /// The crate below the chapter's that has a program.
    fn crate_of(&self, program: &str) -> Option<&String> {
        let name = program.strip_prefix(&self.name)?.strip_prefix('-')?;
        self.crates.iter().find(|one| *one == name)
    }

    /// The source of a program, relative to the root.
    pub fn source(&self, program: &str) -> PathBuf {
        if let Some(name) = self.crate_of(program) {
            self.directory.join(name).join("src/main.rs")
        } else if program == self.name {
            self.directory.join("src/main.rs")
        } else {
            self.directory.join("src/bin").join(format!("{program}.rs"))
        }
    }

    /// The twin of a program in another language, relative to the root.
    pub fn twin(&self, program: &str, language: Language) -> PathBuf {
        self.directory.join(format!("{program}{}", language.suffix()))
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
