//! Copies of the workbook that a test may change.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use workbook::workbook::Workbook;

/// A directory with copies of some files and directories of the workbook.
pub fn copy_of(parts: &[&str]) -> TempDir {
    let scratch = TempDir::new().expect("a temporary directory");
    for part in parts {
        copy(&Workbook::home().join(part), &scratch.path().join(part));
    }
    scratch
}

/// Copies a file, or a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a directory") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        fs::copy(from, to).expect("a copy");
    }
}
