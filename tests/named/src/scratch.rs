//! Copies of the workbook that a test may change.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use walkdir::{DirEntry, WalkDir};
use workbook::workbook::{Workbook, is_of_a_tool};

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
    for file in files_in(from) {
        let below = file.strip_prefix(from).expect("below the directory");
        // Of a file itself nothing is left, which would end the path in a slash.
        let to = if below == Path::new("") { to.to_owned() } else { to.join(below) };
        fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        fs::copy(&file, to).expect("a copy");
    }
}

/// A file, or all files in a directory and below, sorted; but for what a reader's tools leave there.
pub fn files_in(path: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(path).sort_by_file_name().into_iter();
    let entries =
        entries.filter_entry(|entry| entry.depth() == 0 || !is_of_a_tool(entry.file_name()));
    let entries = entries.map(|entry| entry.expect("an entry"));
    entries.filter(|entry| entry.file_type().is_file()).map(DirEntry::into_path).collect()
}
