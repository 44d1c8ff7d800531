//! A workbook of one lesson, whose book is built in a moment, and whose exercise does what a test wants.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use named::bench::Bench;
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::Workbook;

/// The lesson that it has.
pub const LESSON: &str = "critical-worker";

/// One load of the page that runs it, as the page tells of itself.
pub const PAGE: &str = "/01-critical-worker.html#one";

/// Another load of that page.
pub fn load(name: &str) -> String {
    PAGE.replace("one", name)
}

/// The source of its exercise.
pub const EXERCISE: &str = "lessons/01-critical-worker/src/bin/critical-worker-exercise.rs";

/// What of this workbook it has as it is, by the beginning of the path.
const KEPT: [&str; 8] = [
    ".cargo/",
    ".gitignore",
    "Cargo.lock",
    "book/chapters/01-critical-worker",
    "book/chapters/promises/01-critical-worker",
    "book/recordings/critical-worker.",
    "lessons/01-critical-worker/",
    "lessons/lesson-log/",
];

const SUMMARY: &str = "\
# Summary

- [The lesson](01-critical-worker.md)
  - [Its limit](01-critical-worker-limit.md)
  - [Its tests](01-critical-worker-tests.md)
- [Glossary](glossary.md)
---
- [Its promises](promises/01-critical-worker.md)
";

const GLOSSARY: &str = "\
# Glossary

thread
: What the lesson is about. See
  [lesson 1](01-critical-worker.md).

  *In the chapters: thread, threads.*
";

/// One whose exercise does what the environment variable `MISDEED` names.
pub static SMALL: LazyLock<Small> = LazyLock::new(|| {
    let exercise = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/live/exercise.rs"));
    Small::new("small", exercise).unwrap_or_else(|error| panic!("{error}"))
});

/// One with whose exercise the compiler does not come to an end.
pub static SLOW: LazyLock<Small> = LazyLock::new(|| {
    // What else there is, is built first.
    let small = Small::new("slow", "//! Nothing yet.\n\nfn main() {}\n")
        .unwrap_or_else(|error| panic!("{error}"));
    fs::write(small.root().join(EXERCISE), ENDLESS).unwrap_or_else(|error| panic!("{error}"));
    small
});

/// One whose exercise is the book's own, for those who edit it.
pub static EDITED: LazyLock<Small> = LazyLock::new(|| {
    let exercise = Workbook::home().join(EXERCISE);
    let exercise = fs::read_to_string(exercise).unwrap_or_else(|error| panic!("{error}"));
    Small::new("edited", &exercise).unwrap_or_else(|error| panic!("{error}"))
});

/// The compiler counts for hours.
const ENDLESS: &str = "\
//! What takes the compiler for ever.
#![allow(long_running_const_eval, reason = \"that is what it is for\")]

const COUNTED: u64 = {
    let mut number = 0;
    while number < 1_000_000_000_000 {
        number += 1;
    }
    number
};

fn main() {
    println!(\"{COUNTED}\");
}
";

/// A small workbook, which one process has at a time. Its place is always the same, so that its programs are
/// built once.
pub struct Small(Bench);

impl Small {
    /// The one of this name, with this exercise, and with its programs built.
    fn new(name: &str, exercise: &str) -> Result<Self, Box<dyn Error>> {
        let home = Workbook::home();
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{name}"));
        let mut bench = Bench::new(&home, &place, "0.1.0")?;
        let manifest: toml::Table =
            str::from_utf8(&bench.files[Path::new("Cargo.toml")])?.parse()?;
        let book: toml::Table =
            str::from_utf8(&bench.files[Path::new("book/book.toml")])?.parse()?;
        bench.files.retain(|path, _| {
            path.to_str().is_some_and(|path| KEPT.iter().any(|kept| path.starts_with(kept)))
        });
        for entry in fs::read_dir(home.join("book/theme"))? {
            let path = entry?.path();
            bench.files.insert(path.strip_prefix(&home)?.to_owned(), fs::read(&path)?);
        }
        let written = [
            ("Cargo.toml", with_one_lesson(manifest).to_string()),
            ("book/book.toml", without_other_pages(book).to_string()),
            ("book/chapters/SUMMARY.md", SUMMARY.to_owned()),
            ("book/chapters/glossary.md", GLOSSARY.to_owned()),
            (EXERCISE, exercise.to_owned()),
        ];
        for (path, text) in written {
            bench.files.insert(path.into(), text.into_bytes());
        }
        bench.lay_out(&bench.files)?;
        let mut command = programs::builder(&bench.copy, Profile::Dev);
        command.args(["--package", LESSON, "--quiet"]).env("CARGO_TARGET_DIR", bench.target());
        programs::built_by(&mut command)?;
        Ok(Self(bench))
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.0.copy
    }

    /// Saves the exercise as it is.
    pub fn save_the_exercise(&self) -> io::Result<()> {
        let path = self.root().join(EXERCISE);
        fs::write(&path, fs::read(&path)?)
    }

    /// Where its programs are built.
    pub fn target(&self) -> PathBuf {
        self.0.target()
    }
}

fn with_one_lesson(mut manifest: toml::Table) -> toml::Table {
    let workspace = manifest["workspace"].as_table_mut().expect("a workspace");
    workspace["members"] = vec!["lessons/01-critical-worker", "lessons/lesson-log"].into();
    workspace.remove("default-members");
    // Cargo would warn of packages that are not there.
    manifest["profile"]["dev"].as_table_mut().expect("a profile").remove("package");
    manifest
}

/// mdBook wants no settings of pages that are not there.
fn without_other_pages(mut book: toml::Table) -> toml::Table {
    let search = book["output"]["html"]["search"]["chapter"].as_table_mut().expect("a table");
    search.retain(|page, _| page == "promises");
    book
}
