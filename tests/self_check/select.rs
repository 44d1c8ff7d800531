//! Which tests run, and what has to be built for them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

use libtest_mimic::Arguments;
use workbook::promise::Profile;
use workbook::workbook::{Chapter, Workbook};

/// The packages to build, by profile.
pub type Packages = BTreeMap<Profile, BTreeSet<String>>;

/// The options whose value may be an argument of its own.
const WITH_VALUE: [&str; 7] =
    ["--skip", "--test-threads", "--color", "--format", "--logfile", "--shuffle-seed", "-Z"];

/// Which tests run.
pub struct Selection {
    /// What was asked for besides.
    pub arguments: Arguments,
    /// The words that select, as they were typed. A test runs that one of them picks.
    pub words: Vec<String>,
    /// For each word what it picks, and whether there was such a test.
    picks: Vec<(Pick, Cell<bool>)>,
}

/// What one word picks.
enum Pick {
    /// The tests of this lesson and no others.
    Lesson(String),
    /// The test of this name.
    Test(String),
    /// Those that have this in their names.
    Part(String),
}

impl Selection {
    /// Reads the arguments of this program. Cargo passes all the words of `cargo test one -- other`.
    pub fn from_args() -> Self {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        let mut typed = env::args_os();
        options.extend(typed.next());
        while let Some(argument) = typed.next() {
            match argument.to_str() {
                Some(word) if !word.starts_with('-') => words.push(word.to_owned()),
                Some(option) if WITH_VALUE.contains(&option) => {
                    options.push(argument);
                    options.extend(typed.next());
                }
                _ => options.push(argument),
            }
        }
        words.retain(|word| !word.trim().is_empty());
        Self { arguments: Arguments::from_iter(options), words, picks: Vec::new() }
    }

    /// Takes each word for a lesson that it names in some way, or else for a part of tests' names.
    pub fn understand(&mut self, workbook: &Workbook) {
        let exact = self.arguments.exact;
        let pick = |word: &String| match lesson(word, workbook) {
            Some(chapter) if !exact => Pick::Lesson(chapter.name.clone()),
            _ if exact => Pick::Test(test_name(word, workbook)),
            _ => Pick::Part(test_name(word, workbook)),
        };
        self.picks = self.words.iter().map(|word| (pick(word), Cell::new(false))).collect();
    }

    /// Whether the test of this name runs.
    pub fn picks(&self, name: &str) -> bool {
        let is_picked = |(pick, has_some): &(Pick, Cell<bool>)| {
            let is_picked = match pick {
                Pick::Lesson(lesson) => name.split("::").any(|segment| segment == lesson),
                Pick::Test(test) => name == test,
                Pick::Part(part) => name.contains(part),
            };
            has_some.set(has_some.get() || is_picked);
            is_picked
        };
        let is_skipped = |part: &String| match self.arguments.exact {
            true => name == part,
            false => name.contains(part),
        };
        // Each is asked, so that each knows whether it has some.
        let picked = self.picks.iter().filter(|pick| is_picked(pick)).count();
        (self.picks.is_empty() || picked > 0) && !self.arguments.skip.iter().any(is_skipped)
    }
}

impl Selection {
    /// The words that have picked nothing, once all tests were asked for.
    pub fn without_a_test(&self) -> Vec<&str> {
        let words = self.words.iter().zip(&self.picks);
        let without = words.filter(|(_, (_, has_some))| !has_some.get());
        without.map(|(word, _)| word.as_str()).collect()
    }
}

/// The chapter that a word names: as its package, its directory, its number, its page, or a file of it.
fn lesson<'a>(word: &str, workbook: &'a Workbook) -> Option<&'a Chapter> {
    let named = |part: &str| {
        let chapter = workbook.chapter(part);
        chapter.or_else(|| workbook.chapter(plain(part).as_str())).or_else(|| {
            let part = part.trim().to_lowercase();
            let number = part.trim_start_matches("lesson").trim_start_matches(['-', '_', ' ']);
            let number: u32 = number.parse().ok()?;
            let mut chapters = workbook.chapters.iter();
            chapters.find(|chapter| number_of(chapter) == Some(number))
        })
    };
    if word.contains("::") {
        return None;
    }
    word.trim().split('/').rev().find_map(named)
}

/// A part of a path as a lesson would be called: `02-Heart_beat-exercise.rs` → `heart-beat`.
fn plain(part: &str) -> String {
    let part = part.trim().to_lowercase().replace(['_', ' '], "-");
    let part = [".rs", ".py", ".md"].iter().find_map(|end| part.strip_suffix(end)).unwrap_or(&part);
    let part = part.trim_start_matches("lesson-").trim_start_matches(|c: char| c.is_ascii_digit());
    let part = part.trim_start_matches('-');
    let ends = ["-exercise", "-solution"];
    ends.iter().find_map(|end| part.strip_suffix(end)).unwrap_or(part).to_owned()
}

/// The name of a test, of which a segment may name its lesson in another way.
fn test_name(word: &str, workbook: &Workbook) -> String {
    let segment = |segment: &str| match workbook.chapter(plain(segment).as_str()) {
        Some(chapter) => chapter.name.clone(),
        None => segment.to_owned(),
    };
    word.trim().split("::").map(segment).collect::<Vec<_>>().join("::")
}

fn number_of(chapter: &Chapter) -> Option<u32> {
    chapter.directory.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

/// The lesson whose name is most like a word.
pub fn likely<'a>(word: &str, workbook: &'a Workbook) -> Option<&'a str> {
    let parts: Vec<String> = word.split(['/', ':']).map(plain).collect();
    let names = workbook.chapters.iter().map(|chapter| chapter.name.as_str());
    let likeness = |name: &str| {
        let all = parts.iter().map(|part| strsim::jaro_winkler(name, part));
        all.fold(0.0, f64::max)
    };
    names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}
