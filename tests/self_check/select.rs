//! Which tests run, and what has to be built for them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;

use libtest_mimic::Arguments;
use workbook::promise::{Language, Profile, Version};
use workbook::workbook::Workbook;

/// What has to be built.
#[derive(Default)]
pub struct Needs {
    /// The packages, by profile.
    pub packages: BTreeMap<Profile, BTreeSet<String>>,
    /// The twins, by language.
    pub twins: BTreeMap<Language, Sources>,
}

/// Sources of twins, each with the oldest version that it is promised for.
pub type Sources = BTreeMap<PathBuf, Version>;

/// The options whose value may be an argument of its own.
const WITH_VALUE: [&str; 7] =
    ["--skip", "--test-threads", "--color", "--format", "--logfile", "--shuffle-seed", "-Z"];

/// Names that are less like a word than this are not what was meant.
const LIKE: f64 = 0.8;

/// Which tests run.
pub struct Selection {
    /// What was asked for besides.
    pub arguments: Arguments,
    /// The words that select, as they were typed. A test runs that one of them picks.
    pub words: Vec<String>,
    /// For each word what it picks, and whether there was such a test.
    picks: Vec<(Pick, Cell<bool>)>,
    /// What is left out of it.
    skips: Vec<Pick>,
}

/// What one word picks. Words and names are compared as [`plain`] gives them.
enum Pick {
    /// The tests of this lesson, or of this kind such as `java`, and no others.
    Segment(String),
    /// The test of this name.
    Test(String),
    /// Those that have this in their names.
    Part(String),
}

impl Pick {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Segment(word) => name.split("::").any(|segment| segment == word),
            Self::Test(test) => plain(name) == *test,
            Self::Part(part) => plain(name).contains(part),
        }
    }
}

impl Selection {
    /// Reads the arguments of this program. Cargo passes all the words of `cargo test one -- other`,
    /// and a comma parts words as a space does.
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
        let words =
            words.iter().flat_map(|word| word.split(',')).filter(|word| !plain(word).is_empty());
        let words = words.map(str::to_owned).collect();
        let arguments = Arguments::from_iter(options);
        Self { arguments, words, picks: Vec::new(), skips: Vec::new() }
    }

    /// Takes each word for a lesson that it names in some way, or else for a part of these tests' names.
    pub fn understand(&mut self, workbook: &Workbook, names: &[String]) {
        let lesson = |word: &String| {
            lesson(word, workbook).or_else(|| lesson(&without_numbers(word), workbook))
        };
        let pick = |word: &String| match (lesson(word), self.arguments.exact) {
            (Some(lesson), true) => Pick::Test(lesson),
            (Some(lesson), false) => Pick::Segment(lesson),
            (None, true) => Pick::Test(plain(word)),
            (None, false) => part(word, workbook, names),
        };
        self.picks = self.words.iter().map(|word| (pick(word), Cell::new(false))).collect();
        self.skips = self.arguments.skip.iter().map(pick).collect();
    }

    /// Whether the test of this name runs.
    pub fn picks(&self, name: &str) -> bool {
        let is_picked = |(pick, has_some): &(Pick, Cell<bool>)| {
            let is_picked = pick.has(name);
            has_some.set(has_some.get() || is_picked);
            is_picked
        };
        // Each is asked, so that each knows whether it has some.
        let picked = self.picks.iter().filter(|pick| is_picked(pick)).count();
        (self.picks.is_empty() || picked > 0) && !self.skips.iter().any(|skip| skip.has(name))
    }

    /// Whether a word names this lesson, or a test of it.
    pub fn names(&self, lesson: &str) -> bool {
        let names = |(pick, _): &(Pick, _)| match pick {
            Pick::Segment(word) => word == lesson,
            Pick::Test(text) | Pick::Part(text) => text.contains(lesson),
        };
        self.picks.iter().any(names)
    }

    /// The words that have picked nothing, once all tests were asked for.
    pub fn without_a_test(&self) -> Vec<&str> {
        let words = self.words.iter().zip(&self.picks);
        let without = words.filter(|(_, (_, has_some))| !has_some.get());
        without.map(|(word, _)| word.as_str()).collect()
    }
}

/// Lower case, and one `-` between words, whatever parts them: `CriticalWorker::full_disk` is
/// `critical-worker-full-disk`.
pub fn plain(word: &str) -> String {
    let mut plain = String::new();
    let mut before = '-';
    for character in word.chars() {
        let begins_a_word = before.is_lowercase() && character.is_uppercase();
        if (begins_a_word || !character.is_alphanumeric()) && !plain.ends_with('-') {
            plain.push('-');
        }
        if character.is_alphanumeric() {
            plain.extend(character.to_lowercase());
        }
        before = character;
    }
    plain.trim_matches('-').to_owned()
}

/// As [`plain`], without what is only digits, such as the number of a lesson's directory.
fn without_numbers(word: &str) -> String {
    let word = plain(word);
    let is_number = |part: &&str| part.chars().all(|c| c.is_ascii_digit());
    word.split('-').filter(|part| !is_number(part)).collect::<Vec<_>>().join("-")
}

/// The lesson of which a word is the name or the number, in some spelling.
fn lesson(word: &str, workbook: &Workbook) -> Option<String> {
    let word = plain(word);
    let bare = word.trim_start_matches("lesson").trim_start_matches("chapter");
    let bare = bare.trim_start_matches('-');
    let number = bare.parse::<u32>();
    let is_named = |name: &str, directory: &str| {
        let its_number = directory.split('-').next().and_then(|digits| digits.parse::<u32>().ok());
        word.replace('-', "") == name.replace('-', "")
            || bare == directory
            || number.as_ref().is_ok_and(|number| its_number == Some(*number))
    };
    let mut chapters = workbook.chapters.iter();
    let chapter = chapters.find(|chapter| {
        let directory = chapter.directory.file_name().unwrap_or_default();
        is_named(&chapter.name, &directory.to_string_lossy())
    })?;
    Some(chapter.name.clone())
}

/// What a word means that is no lesson's name: a part of tests' names, or else the lesson that stands in it,
/// such as in the path of a file.
fn part(word: &str, workbook: &Workbook, names: &[String]) -> Pick {
    let word = plain(word);
    // `go` is a part of many words.
    if names.iter().any(|name| name.split_once("::").is_some_and(|(kind, _)| kind == word)) {
        return Pick::Segment(word);
    }
    for word in [&word, &without_numbers(&word)] {
        if !word.is_empty() && names.iter().any(|name| plain(name).contains(word.as_str())) {
            return Pick::Part(word.clone());
        }
    }
    let word = format!("-{word}-");
    let stands_at = |name: &&str| Some((word.rfind(&format!("-{name}-"))?, name.len()));
    let chapters = workbook.chapters.iter().map(|chapter| chapter.name.as_str());
    match chapters.max_by_key(stands_at).filter(|name| stands_at(name).is_some()) {
        Some(lesson) => Pick::Segment(lesson.to_owned()),
        None => Pick::Part(word.trim_matches('-').to_owned()),
    }
}

/// The name of a test or of a lesson that is most like a word, if one is.
pub fn likely<'a>(word: &str, workbook: &'a Workbook, names: &'a [String]) -> Option<&'a str> {
    let lessons = workbook.chapters.iter().map(|chapter| chapter.name.as_str());
    let all: Vec<&str> = lessons.chain(names.iter().map(String::as_str)).collect();
    let words = [plain(word), plain(word.rsplit(['/', '\\']).next().unwrap_or(word))];
    let likeness = |name: &str| {
        let likeness = words.iter().map(|word| strsim::jaro_winkler(&plain(name), word));
        likeness.fold(0.0, f64::max)
    };
    // Of equals the first, so a lesson before its own test.
    let likely =
        all.into_iter().rev().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    likely.filter(|name| likeness(name) >= LIKE)
}
