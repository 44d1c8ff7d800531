//! The book, as far as a reader's edit can break it: what `cargo run` does has to succeed.
//!
//! Whether its pages and their links are right is for whoever changes them, and is a test that runs only
//! when it is named.

use std::process::Command;

use libtest_mimic::Failed;
use workbook::promise::Profile;
use workbook::run::{ends_with_this_process, temporary_directory};
use workbook::workbook::Workbook;

use crate::shared::Shared;

/// The package of the book, and its program.
pub const PACKAGE: &str = "book";

/// The name of its test.
pub const NAME: &str = "book::builds_without_a_warning";

/// Builds the book into a directory that is thrown away. A file that cannot be included, or a part of
/// one that is no longer marked, is only warned of. What the workbook leaves out is no warning: it is
/// told, and this program has told it, too.
pub fn judge(workbook: &Workbook, shared: &Shared) -> Result<(), Failed> {
    let program = shared.built(Profile::Dev, PACKAGE)?;
    let program = program.ok_or("the book's reader did not compile; the message is above")?;
    let dest = temporary_directory()?;
    // It keeps a core busy for a second, which a lesson that ends meanwhile must not feel.
    let _pass = shared.gate.enter_last();
    let output = ends_with_this_process(&mut Command::new(program))
        .args(["build", "--dest"])
        .arg(dest.path())
        .output()
        .map_err(|error| format!("it cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let told: String = workbook.notices.iter().map(|notice| format!("{notice}\n")).collect();
    let said = said.strip_prefix(&*told).unwrap_or(&said);
    if output.status.success() && said.is_empty() { Ok(()) } else { Err(said.into()) }
}
