//! A copy of the workbook that a reader works in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::scratch::copy_of;
use crate::self_check::self_check;

/// A copy of the workbook that a reader works in.
pub struct Desk {
    directory: TempDir,
    /// Where its programs are built.
    target: PathBuf,
}

impl Desk {
    /// A copy whose programs are built in this directory, which other copies may share.
    pub fn new(target: impl Into<PathBuf>) -> Self {
        let parts =
            ["Cargo.toml", "Cargo.lock", ".cargo", ".gitignore", "book", "lessons", "tests"];
        Self { directory: copy_of(&parts), target: target.into() }
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// A path in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes one of its files anew.
    pub fn edit(&self, path: &str, edit: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.path(path)).expect("a file");
        fs::write(self.path(path), edit(text)).expect("a file");
    }

    /// Runs the self-check in this copy; gives what it printed and its exit code.
    pub fn check(&self, arguments: &[&str]) -> (String, Option<i32>) {
        answer(&mut self.self_check(arguments))
    }

    /// The self-check in this copy.
    pub fn self_check(&self, arguments: &[&str]) -> Command {
        let mut command = self_check(self.root(), &self.target);
        command.args(arguments);
        command
    }
}

/// Runs a command; gives what it printed, first on stdout and then on stderr, and its exit code.
pub fn answer(command: &mut Command) -> (String, Option<i32>) {
    let output = command.output().expect("the command runs");
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    let text = String::from_utf8_lossy(stdout) + String::from_utf8_lossy(stderr);
    (text.into_owned(), output.status.code())
}
