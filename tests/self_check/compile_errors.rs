//! What a chapter shows as an error does not compile, and the compiler says so in the words shown.
//!
//! Such a program is `lessons/<lesson>/compile-fail/<name>.rs`, the compiler's message is
//! `<name>.stderr` beside it, and the lesson's chapter includes both.
//! `TRYBUILD=overwrite cargo test compile-errors` writes the messages anew.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Completion, Failed};
use trybuild::TestCases;
use workbook::run::{Gate, ends_with_this_process};
use workbook::workbook::{Chapter, Workbook};

/// The Rust whose words the messages are. Another one may put them otherwise.
const WORDS_OF: &str = "1.95";

/// Set where this program runs itself for one lesson.
const INSIDE: &str = "WORKBOOK_COMPILE_ERRORS";

/// What this program does where it runs itself for one lesson. That is asked before anything else.
pub fn inside() -> Option<ExitCode> {
    env::var_os(INSIDE)?;
    // Compiles them as soon as it is dropped, and panics if a message is not as expected.
    TestCases::new().compile_fail("compile-fail/*.rs");
    Some(ExitCode::SUCCESS)
}

/// Whether a chapter shows programs that do not compile.
pub fn has_some(workbook: &Workbook, chapter: &Chapter) -> bool {
    workbook.root.join(&chapter.directory).join("compile-fail").is_dir()
}

/// The name of a chapter's test.
pub fn name(chapter: &Chapter) -> String {
    format!("compile-errors::{}", chapter.name)
}

/// Holds what a chapter shows as an error against the compiler.
pub fn judge(root: &Path, chapter: &Chapter, gate: &Gate) -> Result<Completion, Failed> {
    let directory = root.join(&chapter.directory);
    let pages: String = chapter.pages.iter().map(|page| page.text.as_str()).collect();
    let mut expected = String::new();
    for entry in fs::read_dir(directory.join("compile-fail"))? {
        let path = entry?.path();
        let shown = path.strip_prefix(root)?.display().to_string();
        if !pages.contains(&format!("{{{{#include ../../{shown}")) {
            return Err(
                format!("{} does not include {shown}", chapter.page().path.display()).into()
            );
        }
        if path.extension().is_some_and(|extension| extension == "stderr") {
            expected.push_str(&fs::read_to_string(&path)?);
        }
    }
    // trybuild compiles what belongs to the package that cargo names, with its dependencies.
    let _pass = gate.enter_last();
    let output = ends_with_this_process(&mut Command::new(env::current_exe()?))
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
