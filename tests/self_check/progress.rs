//! How far the reader is with the exercises.

use workbook::exercise::{Progress, has_marker};
use workbook::workbook::{Chapter, Workbook};

use crate::shared::Shared;

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
        let all = [Progress::Done, Progress::Broken, Progress::Unjudged, Progress::NotStarted];
        if found.len() == lessons.len() {
            let counts = all.into_iter().filter_map(|wanted| {
                let count = found.iter().filter(|(_, progress)| *progress == wanted).count();
                let is_told = count > 0 || wanted != Progress::Unjudged;
                is_told.then(|| format!("{count} {wanted}"))
            });
            let counts: Vec<_> = counts.collect();
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
