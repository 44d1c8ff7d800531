//! The reader's exercises: how far each is, and what a program may leave beside them.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

use crate::promise::judge::Broken;
use crate::workbook::marker_line;

/// How far the reader is with an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The marker is still there.
    NotStarted,
    /// It does not compile, or breaks a promise.
    Broken,
    /// It keeps all promises.
    Done,
    /// The marker is gone, and nobody has judged it.
    Unjudged,
}

impl Display for Progress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not started",
            Self::Broken => "broken",
            Self::Done => "done",
            Self::Unjudged => "begun",
        })
    }
}

/// Whether the reader has not begun an exercise.
pub fn has_marker(root: &Path, source: &Path) -> bool {
    marker(root, source).is_some()
}

/// The line that says so, from 1.
pub fn marker(root: &Path, source: &Path) -> Option<usize> {
    // A byte that is no text makes it no other program.
    let program = fs::read(root.join(source)).ok()?;
    marker_line(&String::from_utf8_lossy(&program))
}

/// The names in `.gitignore`: what a program may leave where the reader stands. A workbook that came
/// without that file is not held to it.
#[derive(Debug)]
pub struct Ignored(Option<Vec<String>>);

impl Ignored {
    /// Reads them.
    pub fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join(".gitignore")).ok();
        Self(text.map(|text| text.lines().map(str::to_owned).collect()))
    }

    /// Whether one of them is this. A name may end in `*`, for files that a library puts beside its own.
    pub fn covers(&self, name: &str) -> bool {
        let Some(names) = &self.0 else { return true };
        names.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == ignored,
        })
    }

    /// What to say of files that are left and are none of them.
    pub fn left(&self, left: &[String]) -> Option<Broken> {
        let strangers = left.iter().filter(|name| !self.covers(name));
        let strangers: Vec<_> = strangers.map(String::as_str).collect();
        let promised = "leaves no file but those in .gitignore".to_owned();
        let but = format!("there is {}", strangers.join(", "));
        (!strangers.is_empty()).then(|| Broken { id: promised.clone(), promised, but })
    }
}
