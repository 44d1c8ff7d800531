//! Where a built book goes: what an earlier build has written there gives way, and nothing else.
//!
//! A directory that somebody names may be a repository for a web site, with files of its own. So a book
//! has a *mark*: a list of its files, each with a digest of what the build has written. A file that is
//! not listed, or was changed since, is not ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use walkdir::WalkDir;

/// The file that lists the book's others. `mdbook build` writes none of this name.
pub const MARK: &str = ".when-main-returns";

const HEAD: &str =
    "# Written by `cargo run -- build`, which replaces the files below and no others.\n";

/// A directory that a book is built into.
pub struct Place {
    directory: PathBuf,
    /// Whether all that is in it is ours, as in cargo's own directory.
    is_ours: bool,
    /// Its lock, so that a second build waits for the first.
    _lock: File,
}

/// The digests of a book's files, by path. While a build goes on, a file may be the old or the new one.
type Digests = BTreeMap<PathBuf, BTreeSet<String>>;

impl Place {
    /// Takes a directory for a build, and makes it if it is missing.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or holds anything and has no mark, unless all in it `is_ours`.
    pub fn take(directory: PathBuf, is_ours: bool) -> Result<Self> {
        let at = || format!("cannot write to {}", directory.display());
        fs::create_dir_all(&directory).with_context(at)?;
        let directory = directory.canonicalize().with_context(at)?;
        let lock = File::open(&directory).with_context(at)?;
        // A file system without locks has to do without: each file is still replaced at once.
        let _ = lock.lock();
        let place = Self { directory, is_ours, _lock: lock };
        if !is_ours && place.marked()?.is_none() {
            if let Some(stranger) = fs::read_dir(&place.directory)?.next() {
                bail!(
                    "{} holds {}, which is not of a book of ours; choose another directory, or an \
                     empty one",
                    place.directory.display(),
                    stranger?.file_name().to_string_lossy()
                );
            }
            // From now on it is a book's, also if this build is interrupted.
            place.mark(&Digests::new()).with_context(at)?;
        }
        Ok(place)
    }

    /// The directory in full.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// A directory in it for the build: a file can then take its place by a change of its name.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn beside(&self) -> Result<TempDir> {
        let beside = tempfile::Builder::new().prefix(".book-").tempdir_in(&self.directory);
        beside.with_context(|| format!("cannot write to {}", self.directory.display()))
    }

    /// Puts each file of a new book in its place, and removes those that only the last one had.
    ///
    /// Somebody may be reading: no file is missing at any moment, and what pages load comes before them.
    ///
    /// # Errors
    ///
    /// If a file that is not ours is in the way: then nothing is changed. If a file cannot be written.
    pub fn fill(&self, new: &Path) -> Result<()> {
        let old = if self.is_ours { self.all()? } else { self.marked()?.unwrap_or_default() };
        let mut files = Digests::new();
        for path in files_below(new)? {
            let digests = BTreeSet::from([digest(&new.join(&path))?]);
            files.insert(path, digests);
        }
        let stays = |path: &PathBuf| self.digest(path).is_some_and(|is| files[path].contains(&is));
        for path in files.keys() {
            self.may_replace(path, &old, &files)?;
        }
        let mut both = old.clone();
        for (path, digests) in &files {
            both.entry(path.clone()).or_default().extend(digests.iter().cloned());
        }
        self.mark(&both)?;
        let mut changed: Vec<_> = files.keys().filter(|path| !stays(path)).collect();
        changed.sort_by_key(|path| path.extension().is_some_and(|ending| ending == "html"));
        for path in changed {
            // Once more: an editor may have saved it meanwhile.
            self.may_replace(path, &old, &files)?;
            let to = self.directory.join(path);
            fs::create_dir_all(to.parent().unwrap_or(&self.directory))?;
            fs::rename(new.join(path), &to)
                .with_context(|| format!("cannot write to {}", to.display()))?;
        }
        for (path, digests) in old.iter().filter(|(path, _)| !files.contains_key(*path)) {
            if self.digest(path).is_some_and(|is| digests.contains(&is)) {
                let path = self.directory.join(path);
                fs::remove_file(&path)?;
                // One that still holds something stays.
                let mut parents = path.ancestors().skip(1);
                while parents
                    .next()
                    .is_some_and(|up| up != self.directory && fs::remove_dir(up).is_ok())
                {
                }
            }
        }
        self.mark(&files)
    }

    /// Nothing of the reader's is where a file of the book is to be.
    fn may_replace(&self, path: &Path, old: &Digests, new: &Digests) -> Result<()> {
        let known = [old, new].into_iter().filter_map(|digests| digests.get(path)).flatten();
        let is_known = |is: String| known.into_iter().any(|digest| *digest == is);
        let is_free = self.is_free(path) || self.digest(path).is_some_and(is_known);
        ensure!(
            is_free,
            "{} is not as the last build left it; move it away, or choose another directory",
            self.directory.join(path).display()
        );
        Ok(())
    }

    /// Whether nothing is at this path, and only directories, not links, lead to it.
    fn is_free(&self, path: &Path) -> bool {
        let kinds = path.ancestors().filter(|part| *part != Path::new(""));
        let kinds: Vec<_> = kinds
            .map(|part| fs::symlink_metadata(self.directory.join(part)).map(|one| one.file_type()))
            .collect();
        kinds.first().is_some_and(Result::is_err)
            && kinds[1..].iter().flatten().all(fs::FileType::is_dir)
    }

    /// The digest of a file that is in the directory, and not behind a link.
    fn digest(&self, path: &Path) -> Option<String> {
        let full = self.directory.join(path);
        let is_within = full.parent()?.canonicalize().ok()? == full.parent()?;
        let is_file = fs::symlink_metadata(&full).ok()?.is_file();
        (is_within && is_file).then(|| digest(&full).ok())?
    }

    /// All files that are there, where all is ours; but for what is being built.
    fn all(&self) -> Result<Digests> {
        let mut files = Digests::new();
        for path in files_below(&self.directory)? {
            if !path.to_string_lossy().starts_with(".book-")
                && let Some(digest) = self.digest(&path)
            {
                files.insert(path, BTreeSet::from([digest]));
            }
        }
        Ok(files)
    }

    /// What the mark lists, if there is one.
    fn marked(&self) -> Result<Option<Digests>> {
        let path = self.directory.join(MARK);
        if !fs::symlink_metadata(&path).is_ok_and(|mark| mark.is_file()) {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let mut listed = Digests::new();
        for (digest, file) in text.lines().filter_map(|line| line.split_once("  ")) {
            // Somebody else's mark could lead out of the directory.
            let path = Path::new(file);
            if path.components().all(|part| matches!(part, Component::Normal(_))) {
                listed.entry(path.to_owned()).or_default().insert(digest.to_owned());
            }
        }
        Ok(Some(listed))
    }

    fn mark(&self, files: &Digests) -> Result<()> {
        if self.is_ours {
            return Ok(());
        }
        let permissions = Permissions::from_mode(0o666);
        let mut mark = tempfile::Builder::new()
            .prefix(".book-")
            .permissions(permissions)
            .tempfile_in(&self.directory)?;
        let mut text = HEAD.to_owned();
        for (path, digests) in files {
            digests.iter().for_each(|digest| text += &format!("{digest}  {}\n", path.display()));
        }
        mark.write_all(text.as_bytes())?;
        mark.persist(self.directory.join(MARK))?;
        Ok(())
    }
}

/// The files below a directory, relative to it.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(directory) {
        let entry = entry?;
        if !entry.file_type().is_dir() {
            files.push(entry.path().strip_prefix(directory)?.to_owned());
        }
    }
    Ok(files)
}

fn digest(path: &Path) -> io::Result<String> {
    let digest = Sha256::digest(fs::read(path)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Scratch(TempDir);

    impl Scratch {
        fn new() -> Self {
            Self(TempDir::new().expect("a temporary directory"))
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        /// Builds a book of these files, whose texts are the words given.
        fn build(&self, files: &[(&str, &str)]) -> Result<()> {
            let place = Place::take(self.path("dest"), false)?;
            let beside = place.beside()?;
            for (path, text) in files {
                write(&beside.path().join(path), text);
            }
            place.fill(beside.path())
        }

        fn refuses(&self, files: &[(&str, &str)], named: &str) {
            let error = self.build(files).expect_err("a file that is not ours").to_string();
            assert!(error.contains(named) && error.lines().count() == 1, "{error}");
        }

        fn files(&self) -> Vec<(String, String)> {
            let mut files = files_below(&self.path("dest")).expect("a directory");
            files.retain(|path| path != Path::new(MARK));
            files.sort();
            let text = |path: &PathBuf| fs::read_to_string(self.path("dest").join(path));
            files
                .iter()
                .map(|path| (path.display().to_string(), text(path).unwrap_or_default()))
                .collect()
        }

        fn has(&self, expected: &[(&str, &str)]) {
            let expected = expected.iter().map(|(path, text)| (path.to_string(), text.to_string()));
            assert_eq!(self.files(), expected.collect::<Vec<_>>());
        }
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    #[test]
    fn a_book_replaces_what_the_last_one_wrote_and_nothing_else() {
        let scratch = Scratch::new();
        scratch.build(&[("index.html", "1"), ("deep/old.html", "1")]).expect("a book");
        write(&scratch.path("dest/.git/HEAD"), "ref");
        write(&scratch.path("dest/CNAME"), "example.org");
        scratch.build(&[("index.html", "2"), ("new.html", "2")]).expect("a book");
        let kept = [(".git/HEAD", "ref"), ("CNAME", "example.org")];
        let book = [("index.html", "2"), ("new.html", "2")];
        scratch.has(&[kept, book].concat());
        assert!(!scratch.path("dest/deep").exists());
        // A file that the next book has no more, and that was changed, is the reader's now.
        write(&scratch.path("dest/new.html"), "mine");
        scratch.build(&[("index.html", "3")]).expect("a book");
        scratch.has(&[kept[0], kept[1], ("index.html", "3"), ("new.html", "mine")]);
    }

    #[test]
    fn a_second_build_waits_for_the_first() {
        let scratch = Scratch::new();
        let place = Place::take(scratch.path("dest"), false).expect("a place");
        let lock = File::open(place.path()).expect("a directory");
        assert!(lock.try_lock().is_err());
        drop(place);
        assert!(lock.try_lock().is_ok());
    }

    #[test]
    fn what_is_in_the_way_is_named_and_nothing_changes() {
        let book = [("a.html", "2"), ("deep/b.html", "2"), ("index.html", "2")];
        let scratch = Scratch::new();
        scratch.build(&[("index.html", "1")]).expect("a book");
        write(&scratch.path("dest/index.html"), "mine");
        scratch.refuses(&book, "dest/index.html");
        scratch.has(&[("index.html", "mine")]);

        write(&scratch.path("dest/index.html"), "1");
        write(&scratch.path("dest/a.html"), "mine");
        scratch.refuses(&book, "dest/a.html");
        fs::remove_file(scratch.path("dest/a.html")).expect("a file");
        fs::create_dir(scratch.path("dest/a.html")).expect("a directory");
        scratch.refuses(&book, "dest/a.html");
        fs::remove_dir(scratch.path("dest/a.html")).expect("a directory");

        // Links would lead the book elsewhere.
        write(&scratch.path("elsewhere/b.html"), "mine");
        symlink(scratch.path("elsewhere"), scratch.path("dest/deep")).expect("a link");
        scratch.refuses(&book, "dest/deep/b.html");
        fs::remove_file(scratch.path("dest/deep")).expect("a link");
        fs::remove_file(scratch.path("dest/index.html")).expect("a file");
        symlink(scratch.path("elsewhere/b.html"), scratch.path("dest/index.html")).expect("a link");
        scratch.refuses(&book, "dest/index.html");
        assert_eq!(fs::read_to_string(scratch.path("elsewhere/b.html")).expect("a file"), "mine");
        fs::remove_file(scratch.path("dest/index.html")).expect("a link");
        scratch.build(&book).expect("a book");
        scratch.has(&book);
    }

    #[test]
    fn a_directory_without_a_mark_is_refused_and_a_mark_leads_nowhere_else() {
        let scratch = Scratch::new();
        write(&scratch.path("dest/.nojekyll"), "");
        scratch.refuses(&[("index.html", "1")], "holds .nojekyll");
        scratch.has(&[(".nojekyll", "")]);
        let (own, mark) = (scratch.path("own.txt"), scratch.path("dest").join(MARK));
        write(&own, "mine");
        let digest = digest(&own).expect("a digest");
        let text = format!("{digest}  ../own.txt\n{digest}  {}\n", own.display());
        write(&mark, &text);
        scratch.build(&[("index.html", "1")]).expect("a book");
        scratch.has(&[(".nojekyll", ""), ("index.html", "1")]);
        assert!(own.exists());
    }

    #[test]
    fn a_build_that_was_interrupted_is_made_up_for() {
        let scratch = Scratch::new();
        scratch.build(&[("a.html", "1"), ("index.html", "1")]).expect("a book");
        let place = Place::take(scratch.path("dest"), false).expect("a place");
        let (old, mut both) = (place.marked().expect("a mark").expect("a mark"), Digests::new());
        for text in ["1", "2"] {
            write(&scratch.path("text"), text);
            let digest = digest(&scratch.path("text")).expect("a digest");
            for path in old.keys() {
                both.entry(path.clone()).or_default().insert(digest.clone());
            }
        }
        // Both are listed, and one of two files is replaced.
        place.mark(&both).expect("a mark");
        drop(place);
        write(&scratch.path("dest/a.html"), "2");
        scratch.build(&[("a.html", "3"), ("index.html", "3")]).expect("a book");
        scratch.has(&[("a.html", "3"), ("index.html", "3")]);
    }
}
