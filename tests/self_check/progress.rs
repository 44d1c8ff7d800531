//! How far the reader is with the exercises.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

use workbook::workbook::{Chapter, Workbook, marker_line};

use crate::shared::Shared;

/// How far the reader is with an exercise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The marker is still there.
    NotStarted,
    /// It does not compile, or breaks a promise.
    Broken,
    /// It keeps all promises.
    Done,
}

impl Display for Progress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not started",
            Self::Broken => "broken",
            Self::Done => "done",
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

impl Shared {
    /// Keeps what was found of a lesson's exercise. Each is judged once.
    pub fn note(&self, chapter: usize, progress: Progress) {
        let _ = self.exercises[chapter].set(progress);
    }

    /// Tells how far the reader is, as far as this run has found out: each exercise by name if
    /// `each` is set, the numbers if all were looked at, and which one comes after the last that
    /// is done: one that is broken, or else one that is not begun.
    pub fn tell_progress(&self, workbook: &Workbook, each: bool) {
        let lessons = workbook.chapters.iter().enumerate();
        let lessons: Vec<_> = lessons.filter(|(_, chapter)| chapter.lesson.is_some()).collect();
        let found: Vec<_> = lessons
            .iter()
            .filter_map(|(index, lesson)| Some((*lesson, *self.exercises[*index].get()?)))
            .collect();
        if each {
            for (lesson, progress) in &found {
                println!("  {:<20} {progress}", lesson.name);
            }
        }
        let all = [Progress::Done, Progress::Broken, Progress::NotStarted];
        if found.len() == lessons.len() {
            let counts = all.map(|wanted| {
                let count = found.iter().filter(|(_, progress)| *progress == wanted).count();
                format!("{count} {wanted}")
            });
            println!("exercises: {}; `cargo test progress` lists them", counts.join(", "));
        }
        let done = found.iter().rposition(|(_, progress)| *progress == Progress::Done);
        let Some(passed) = done.map(|index| found[index].0) else { return };
        let before = lessons.iter().take_while(|(_, lesson)| lesson.name != passed.name).count();
        let others = || lessons[before + 1..].iter().chain(&lessons[..before]);
        let source = |lesson: &Chapter| lesson.source(&lesson.exercise_program());
        let progress = |index: usize| self.exercises[index].get().copied();
        let broken = others().find(|(index, _)| progress(*index) == Some(Progress::Broken));
        let unbegun = || others().find(|(_, lesson)| has_marker(&workbook.root, &source(lesson)));
        let passed = &passed.name;
        match broken.or_else(unbegun) {
            Some((_, lesson)) => {
                println!("exercise {passed}: passed. The next one is {}", source(lesson).display());
            }
            None => println!("exercise {passed}: passed. All exercises are begun."),
        }
    }
}
