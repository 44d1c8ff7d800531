//! What a chapter shows as an error does not compile, and the compiler says so in the words shown.
//!
//! Such a program is `lessons/<lesson>/compile-fail/<name>.rs`, the compiler's message is
//! `<name>.stderr` beside it, and the lesson's chapter includes both.
//! `TRYBUILD=overwrite cargo test --test compile-errors` writes the messages anew.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use trybuild::TestCases;
use workbook::workbook::all_of;
use workbook::workbook::{Lesson, Workbook};

/// The Rust whose words the messages are. Another one may put them otherwise.
const WORDS_OF: &str = "1.95";

/// Set where this program runs itself for one lesson.
const INSIDE: &str = "WORKBOOK_COMPILE_ERRORS";

fn main() -> ExitCode {
    if env::var_os(INSIDE).is_some() {
        // Compiles them as soon as it is dropped, and panics if a message is not as expected.
        TestCases::new().compile_fail("compile-fail/*.rs");
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let workbook = match Workbook::load(&Workbook::home()) {
        Ok(workbook) => workbook,
        Err(problems) => {
            eprintln!("{:#}", all_of(problems));
            return ExitCode::FAILURE;
        }
    };
    let Workbook { root, lessons } = workbook;
    let has_errors = |lesson: &Lesson| root.join(&lesson.directory).join("compile-fail").is_dir();
    let trials = lessons.into_iter().filter(has_errors).map(|lesson| {
        let root = root.clone();
        let name = format!("compile-errors::{}", lesson.name);
        Trial::ignorable_test(name, move || judge(&root, &lesson))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn judge(root: &Path, lesson: &Lesson) -> Result<Completion, Failed> {
    let directory = root.join(&lesson.directory);
    let chapter = fs::read_to_string(root.join(&lesson.chapter))?;
    let mut expected = String::new();
    for entry in fs::read_dir(directory.join("compile-fail"))? {
        let path = entry?.path();
        let shown = path.strip_prefix(root)?.display().to_string();
        if !chapter.contains(&format!("{{{{#include ../../{shown}")) {
            return Err(format!("{} does not include {shown}", lesson.chapter.display()).into());
        }
        if path.extension().is_some_and(|extension| extension == "stderr") {
            expected.push_str(&fs::read_to_string(&path)?);
        }
    }
    // trybuild compiles what belongs to the package that cargo names, with its dependencies.
    let output = Command::new(env::current_exe()?)
        .current_dir(&directory)
        .env("CARGO_MANIFEST_DIR", &directory)
        .env(INSIDE, "1")
        .env("RUST_BACKTRACE", "0")
        .env("TERM", "dumb")
        .output()?;
    if output.status.success() {
        return Ok(Completion::Completed);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let rust = rust_version()?;
    let actual = said.split("ACTUAL OUTPUT:").skip(1).map(|text| text.split("note: If").next());
    let actual: String = actual.flatten().collect();
    let compiles = said.contains("but it succeeded");
    if rust != WORDS_OF && !compiles && codes(&actual) == codes(&expected) {
        let reason = format!("the same errors, in other words: Rust {rust}, not {WORDS_OF}");
        return Ok(Completion::ignored_with(reason));
    }
    Err(said.into_owned().into())
}

/// Such as `1.95`.
fn rust_version() -> Result<String, Failed> {
    let output = Command::new("rustc").arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    Ok(version.split('.').take(2).collect::<Vec<_>>().join("."))
}

/// The errors of a compiler's message, such as `error[E0373]`.
fn codes(message: &str) -> BTreeSet<&str> {
    let first_words = message.lines().filter_map(|line| line.split(':').next());
    first_words.filter(|word| word.starts_with("error[")).collect()
}
