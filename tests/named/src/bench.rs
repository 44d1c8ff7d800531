//! A copy of the workbook whose programs are changed. Its place is always the same, so that what cargo has
//! built there is of use the next time.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::scratch::files_in;

/// All that cargo and the self-check read of a workbook.
const PARTS: [&str; 16] = [
    ".cargo",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "book/Cargo.toml",
    "book/book.toml",
    "book/chapters",
    "book/recordings",
    "book/src",
    "book/workbook",
    "book/own-program",
    "book/workshop",
    "lessons",
    "tests/Cargo.toml",
    "tests/named/Cargo.toml",
    "tests/named/src",
];

/// A copy of the workbook.
pub struct Bench {
    /// Its root.
    pub copy: PathBuf,
    /// What belongs into it where nothing is changed.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Held while the copy is in use.
    _lock: File,
}

impl Bench {
    /// One below `place`, where nothing is written yet, for the workbook in the directory `root`.
    ///
    /// By the version cargo tells a package here from one of the same name elsewhere, whose programs would
    /// otherwise be the changed ones from now on: so it differs from the workbook's own, and from
    /// other benches'.
    pub fn new(root: &Path, place: &Path, version: &str) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(place)?;
        let lock = File::create(place.join("lock"))?;
        lock.lock()?;
        let mut files = BTreeMap::new();
        for path in PARTS.into_iter().flat_map(|part| files_in(&root.join(part))) {
            files.insert(path.strip_prefix(root)?.to_owned(), fs::read(&path)?);
        }
        let manifest = files.get_mut(Path::new("Cargo.toml")).ok_or("there is no Cargo.toml")?;
        let mut table: toml::Table = str::from_utf8(manifest)?.parse()?;
        table["workspace"]["package"]["version"] = version.into();
        *manifest = table.to_string().into_bytes();
        Ok(Self { copy: place.join("workbook"), files, _lock: lock })
    }

    /// Where its programs are built.
    pub fn target(&self) -> PathBuf {
        self.copy.with_file_name("target")
    }

    /// Makes the copy hold just these files. What is right already stays as it is, so that cargo does not
    /// build it again.
    pub fn lay_out(&self, files: &BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
        let found = if self.copy.exists() { files_in(&self.copy) } else { Vec::new() };
        for path in found {
            if !path.strip_prefix(&self.copy).is_ok_and(|path| files.contains_key(path)) {
                fs::remove_file(path)?;
            }
        }
        for (path, bytes) in files {
            let path = self.copy.join(path);
            if !fs::read(&path).is_ok_and(|found| found == *bytes) {
                fs::create_dir_all(path.parent().unwrap_or(&self.copy))?;
                fs::write(&path, bytes)?;
            }
        }
        Ok(())
    }
}
