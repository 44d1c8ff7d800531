//! The exam of a lesson whose exercise is judged by one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use libtest_mimic::{Completion, Failed, Trial};
use own_program::exam::{self, Report, Verdict};
use workbook::exam::Exam;
use workbook::exercise::{Progress, has_marker, marker};
use workbook::page::Block;
use workbook::promise::Profile;
use workbook::workbook::{Chapter, Exercise, Lesson, MARKER, Workbook};

use crate::select::{Needs, Selection};
use crate::shared::Shared;

/// What chance is drawn from: each exam of the self-check does the same at the same moments.
const SEED: u64 = 25;

/// One program that sits the exam.
pub struct Sitting {
    /// Such as `exercise::order-desk`.
    pub name: String,
    workbook: Arc<Workbook>,
    chapter: usize,
    subject: Subject,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Exercise,
    Solution,
    Starter,
}

/// All programs of the workbook that sit an exam.
pub fn sittings(workbook: &Arc<Workbook>) -> Vec<Sitting> {
    let mut sittings = Vec::new();
    for (index, chapter) in workbook.chapters.iter().enumerate() {
        if exam_of(chapter).is_none() {
            continue;
        }
        let subjects = [
            ("exercise", Subject::Exercise),
            ("solution", Subject::Solution),
            ("starter", Subject::Starter),
        ];
        sittings.extend(subjects.map(|(kind, subject)| Sitting {
            name: format!("{kind}::{}", chapter.name),
            workbook: Arc::clone(workbook),
            chapter: index,
            subject,
        }));
    }
    sittings
}

fn exam_of(chapter: &Chapter) -> Option<&Block<Exam>> {
    match &chapter.lesson {
        Some(Lesson { exercise: Exercise::Exam(exam), .. }) => Some(exam),
        _ => None,
    }
}

impl Sitting {
    fn chapter(&self) -> &Chapter {
        &self.workbook.chapters[self.chapter]
    }

    /// Whether it is held: an exam takes half a minute and the whole machine, so only who names the lesson
    /// gets it.
    fn is_held(&self, selection: &Selection) -> bool {
        selection.arguments.list || selection.names(&self.chapter().name)
    }

    /// The test, and what has to be built for it. Where no exam is held one line says so, and the other
    /// programs of the lesson have none.
    pub fn into_trial(
        self,
        selection: &Selection,
        needs: &mut Needs,
        shared: &Arc<Shared>,
    ) -> Option<Trial> {
        let shared = Arc::clone(shared);
        if self.is_held(selection) {
            if self.is_run() {
                let packages = needs.packages.entry(Profile::Dev).or_default();
                packages.insert(self.chapter().name.clone());
            }
            return Some(Trial::ignorable_test(self.name.clone(), move || {
                // Nobody at the gate waits for it.
                drop(shared.gate.expected());
                let _alone = shared.alone();
                self.outcome(&shared)
            }));
        }
        (self.subject == Subject::Exercise).then(|| {
            Trial::ignorable_test(self.name.clone(), move || {
                drop(shared.gate.expected());
                let progress =
                    if self.has_marker() { Progress::NotStarted } else { Progress::Unjudged };
                shared.note(self.chapter, progress);
                Ok(Completion::ignored_with(format!(
                    "an exam, which runs alone: `cargo test {}`",
                    self.chapter().name
                )))
            })
        })
    }

    fn source(&self) -> PathBuf {
        self.chapter().source(&self.chapter().exercise_program())
    }

    fn has_marker(&self) -> bool {
        has_marker(&self.workbook.root, &self.source())
    }

    /// Whether a program is run at all.
    fn is_run(&self) -> bool {
        match self.subject {
            Subject::Solution => true,
            Subject::Exercise => !self.has_marker() && self.has_exercise(),
            Subject::Starter => self.has_marker(),
        }
    }

    fn has_exercise(&self) -> bool {
        self.workbook.root.join(self.source()).is_file()
    }

    fn outcome(&self, shared: &Shared) -> Result<Completion, Failed> {
        let source = self.source();
        let source = source.display();
        match self.subject {
            Subject::Solution => self.judge(shared),
            Subject::Exercise if !self.has_exercise() => Err(format!(
                "{source} is no longer there; `git restore {source}` brings it back as it was"
            )
            .into()),
            Subject::Exercise if self.has_marker() => {
                shared.note(self.chapter, Progress::NotStarted);
                Ok(Completion::ignored_with(Progress::NotStarted.to_string()))
            }
            Subject::Exercise => {
                let judged = self.judge(shared);
                let progress = if judged.is_ok() { Progress::Done } else { Progress::Broken };
                shared.note(self.chapter, progress);
                judged
            }
            Subject::Starter if !self.has_exercise() => {
                Ok(Completion::ignored_with("there is no exercise"))
            }
            Subject::Starter if self.has_marker() => self.judge_starter(shared),
            Subject::Starter => Ok(Completion::ignored_with("begun: the marker is gone")),
        }
    }

    /// Each trial is passed that can be tried here.
    fn judge(&self, shared: &Shared) -> Result<Completion, Failed> {
        let report = self.hold(shared)?;
        if report.passed() { Ok(Completion::Completed) } else { Err(self.told(&report).into()) }
    }

    /// The untouched exercise passes just what its block names, as far as it can be tried here.
    fn judge_starter(&self, shared: &Shared) -> Result<Completion, Failed> {
        let report = self.hold(shared)?;
        let line = marker(&self.workbook.root, &self.source()).unwrap_or_default();
        let source = format!("{}:{line}", self.source().display());
        if report.passed() {
            let message =
                format!("you solved it: now delete the marker line `{MARKER}` in {source}");
            return Err(message.into());
        }
        let block = exam_of(self.chapter()).ok_or("there is no exam")?;
        let is_tried = |trial: &&str| {
            let mut outcomes = report.outcomes.iter();
            !outcomes.any(|one| one.trial == *trial && matches!(one.verdict, Verdict::NotTried(_)))
        };
        let wanted = block.says.starter_passes.iter().map(String::as_str).filter(is_tried);
        let wanted: BTreeSet<&str> = wanted.collect();
        let passed = report.outcomes.iter().filter(|one| one.verdict == Verdict::Passed);
        let passed: BTreeSet<&str> = passed.map(|one| one.trial).collect();
        if wanted == passed {
            return Ok(Completion::Completed);
        }
        let mut change = String::new();
        for (verb, trials) in [("passes", &passed - &wanted), ("fails", &wanted - &passed)] {
            for trial in trials {
                // Writing to a string cannot fail.
                let _ = writeln!(change, "Other than {} says, it {verb} `{trial}`.", block.place);
            }
        }
        Err(format!(
            "If you have begun the exercise, delete the marker line `{MARKER}` in {source}:\n\
             then `cargo test {}` judges your work.\n{change}\n{}",
            self.chapter().name,
            self.told(&report),
        )
        .into())
    }

    fn hold(&self, shared: &Shared) -> Result<Report, Failed> {
        let program = self.program();
        let path = shared
            .built(Profile::Dev, &program)?
            .ok_or_else(|| did_not_compile(self.chapter(), &program))?;
        let command = [OsString::from(path)];
        let held = exam::hold(&command, &[], SEED, &mut |_| {});
        Ok(held.map_err(|why| format!("{program} cannot sit the exam: {why}"))?)
    }

    fn program(&self) -> String {
        match self.subject {
            Subject::Solution => self.chapter().solution_program(),
            Subject::Exercise | Subject::Starter => self.chapter().exercise_program(),
        }
    }

    /// What the exam says, and how to hold one trial again.
    fn told(&self, report: &Report) -> String {
        let mut told = format!("{}\n{}", self.name, exam::screen(report));
        let failed = report.outcomes.iter().find(|one| matches!(one.verdict, Verdict::Failed(_)));
        if let Some(failed) = failed {
            let _ = write!(
                told,
                "\nOne trial alone, with its picture:\n  cargo run -- exam --only {} --html exam.html -- \
                 cargo run -q -p {} --bin {}\n",
                failed.trial,
                self.chapter().name,
                self.program(),
            );
        }
        told
    }
}

fn did_not_compile(chapter: &Chapter, program: &str) -> String {
    let source = chapter.source(program);
    format!("{} did not compile; the compiler's message is above", source.display())
}
