//! What a chapter shows as an error does not compile, and the compiler says so in the words shown.
//!
//! Such a program is `lessons/<lesson>/compile-fail/<name>.rs`, the compiler's message is
//! `<name>.stderr` beside it, and the lesson's chapter includes both.
//! `TRYBUILD=overwrite cargo test compile-errors` writes the messages anew.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Completion, Failed};
use trybuild::TestCases;
use workbook::run::{Gate, ends_with_this_process};
use workbook::workbook::{Chapter, Workbook, is_of_a_tool};

/// The Rust whose words the messages are. Another one may put them otherwise.
const WORDS_OF: &str = "1.95";

/// Set where this program runs itself for one lesson, to the programs that it compiles.
const INSIDE: &str = "WORKBOOK_COMPILE_ERRORS";

/// What this program does where it runs itself for one lesson. That is asked before anything else.
pub fn inside() -> Option<ExitCode> {
    let programs = env::var_os(INSIDE)?;
    // Compiles them as soon as it is dropped, and panics if a message is not as expected.
    let cases = TestCases::new();
    env::split_paths(&programs).for_each(|program| cases.compile_fail(program));
    Some(ExitCode::SUCCESS)
}

/// Whether a chapter shows programs that do not compile.
pub fn has_some(workbook: &Workbook, chapter: &Chapter) -> bool {
    shown(&workbook.root, chapter).is_ok_and(|shown| !shown.is_empty())
}

/// What the chapter includes of its lesson's directory, relative to it; of a program and its message
/// the other one, too. What a reader has put beside them is told when the workbook is read.
fn shown(root: &Path, chapter: &Chapter) -> io::Result<Vec<PathBuf>> {
    let directory = root.join(&chapter.directory).join("compile-fail");
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut shown = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let path = Path::new("compile-fail").join(&name);
        let both = ["rs", "stderr"].map(|ending| path.with_extension(ending));
        let includes = |path: &PathBuf| chapter.includes(&chapter.directory.join(path));
        if !is_of_a_tool(&name) && both.contains(&path) && both.iter().any(includes) {
            shown.push(path);
        }
    }
    shown.sort();
    Ok(shown)
}

/// The name of a chapter's test.
pub fn name(chapter: &Chapter) -> String {
    format!("compile-errors::{}", chapter.name)
}

/// Holds what a chapter shows as an error against the compiler.
pub fn judge(root: &Path, chapter: &Chapter, gate: &Gate) -> Result<Completion, Failed> {
    let directory = root.join(&chapter.directory);
    let (mut expected, mut programs) = (String::new(), Vec::new());
    for path in shown(root, chapter)? {
        let shown = chapter.directory.join(&path);
        if !chapter.includes(&shown) {
            let chapter = chapter.page().path.display();
            return Err(format!("{chapter} does not include {}", shown.display()).into());
        }
        if path.extension().is_some_and(|extension| extension == "stderr") {
            expected.push_str(&fs::read_to_string(root.join(shown))?);
        } else {
            programs.push(path);
        }
    }
    // trybuild compiles what belongs to the package that cargo names, with its dependencies.
    let _pass = gate.enter_last();
    let output = ends_with_this_process(&mut Command::new(env::current_exe()?))
        .current_dir(&directory)
        .env("CARGO_MANIFEST_DIR", &directory)
        .env(INSIDE, env::join_paths(programs)?)
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
