//! One test: a block of a chapter, and what is held against it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};
use workbook::commands::check_command;
use workbook::exercise::{Progress, has_marker, marker};
use workbook::page::Block;
use workbook::programs::on_path;
use workbook::promise::judge::Broken;
use workbook::promise::{Language, Scenario};
use workbook::recording::Recording;
use workbook::run::HANGS;
use workbook::verdict::{self, FirstRun, Verdict};
use workbook::workbook::{Chapter, MARKER, Workbook};

use crate::assert::breaks;
use crate::select::Needs;
use crate::shared::{Shared, Starts};

/// The features of lessons that are on only where this check is built with a feature of its own.
const FEATURES: [(&str, bool); 1] = [("kafka", cfg!(feature = "kafka"))];

/// One test: a block of a chapter, and what is held against it.
pub struct Check {
    /// Such as `heartbeat::joined`.
    pub name: String,
    workbook: Arc<Workbook>,
    chapter: usize,
    /// What is held against it.
    pub block: Block<Scenario>,
    subject: Subject,
}

/// What is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Lesson,
    Twin(Language),
    Solution,
    Exercise,
    Starter,
}

/// All tests of the promises, the longest first: the whole then takes little longer than it.
pub fn checks(workbook: &Arc<Workbook>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (index, chapter) in workbook.chapters.iter().enumerate() {
        let mut add = |name: String, block: &Block<Scenario>, subject| {
            let (workbook, block) = (Arc::clone(workbook), block.clone());
            checks.push(Check { name, workbook, chapter: index, block, subject });
        };
        for block in chapter.scenarios() {
            let name = block.says.full_name(&chapter.name);
            for language in block.says.twins.keys() {
                add(format!("{}::{name}", language.key()), block, Subject::Twin(*language));
            }
            if block.says.language().is_none() {
                add(name, block, Subject::Lesson);
            }
        }
        // Where an exam judges it, there are other tests.
        let exercise = chapter.lesson.as_ref().and_then(|lesson| lesson.exercise.promises());
        let Some(exercise) = exercise else { continue };
        let name = &chapter.name;
        add(format!("exercise::{name}"), exercise, Subject::Exercise);
        add(format!("solution::{name}"), exercise, Subject::Solution);
        add(format!("starter::{name}"), exercise, Subject::Starter);
    }
    checks.sort_by_key(|check| Reverse(check.length()));
    checks
}

impl Check {
    /// The chapter that it is about.
    pub fn chapter(&self) -> &Chapter {
        &self.workbook.chapters[self.chapter]
    }

    /// Adds what has to be built to run it.
    pub fn needs(&self, needs: &mut Needs) {
        let scenario = &self.block.says;
        if let Subject::Twin(language) = self.subject {
            let (source, version) = (self.twin(language), scenario.twins[&language]);
            let oldest = needs.twins.entry(language).or_default().entry(source).or_insert(version);
            *oldest = version.min(*oldest);
            return;
        }
        // An exercise that is not begun is not run, nor is what needs a feature that is off.
        let is_run = self.subject != Subject::Exercise || !self.has_marker();
        if is_run && self.feature() != Some(false) && self.why_no_program().is_none() {
            let packages = needs.packages.entry(scenario.profile).or_default();
            packages.insert(self.chapter().package(scenario));
        }
    }

    /// The test itself.
    pub fn into_trial(self, shared: &Arc<Shared>) -> Trial {
        let shared = Arc::clone(shared);
        let other = shared.other();
        Trial::ignorable_test(self.name.clone(), move || {
            let (_other, _expected) = (other, shared.gate.expected());
            self.outcome(&shared)
        })
    }

    fn outcome(&self, shared: &Shared) -> Result<Completion, Failed> {
        match self.subject {
            Subject::Lesson if self.feature() == Some(false) => {
                let command = check_command(self.chapter(), &self.block.says);
                Ok(Completion::ignored_with(format!("takes `{command}`")))
            }
            Subject::Lesson | Subject::Solution => match self.why_no_program() {
                Some(reason) => Ok(Completion::ignored_with(reason)),
                None => self.judge(shared),
            },
            Subject::Twin(language) => {
                match shared.why_no_twin(language, self.block.says.twins[&language]) {
                    Some(reason) => Ok(Completion::ignored_with(reason)),
                    None => self.judge(shared),
                }
            }
            Subject::Exercise | Subject::Starter if !self.has_exercise() => self.no_exercise(),
            Subject::Exercise if self.has_marker() => {
                shared.note(self.chapter, Progress::NotStarted);
                Ok(Completion::ignored_with(Progress::NotStarted.to_string()))
            }
            Subject::Exercise => {
                let judged = self.judge(shared);
                let is_done = judged.is_ok();
                let progress = if is_done { Progress::Done } else { Progress::Broken };
                shared.note(self.chapter, progress);
                judged
            }
            Subject::Starter if self.has_marker() => self.judge_starter(shared),
            Subject::Starter => Ok(Completion::ignored_with("begun: the marker is gone")),
        }
    }

    /// How long it may take. A starter that does not end when it should may have to be ended.
    fn length(&self) -> Duration {
        let scenario = &self.block.says;
        let mut breaks = scenario.starter_breaks.iter().flatten();
        match self.subject {
            Subject::Starter if breaks.any(|id| id.get_ref() == "ends") => {
                scenario.duration() + HANGS
            }
            _ => scenario.duration(),
        }
    }

    /// Whether the feature that the scenario needs is on, if it needs one.
    fn feature(&self) -> Option<bool> {
        let needed = self.block.says.feature.as_ref()?;
        let known = FEATURES.iter().find(|(name, _)| name == needed);
        Some(known.is_none_or(|(_, is_on)| *is_on))
    }

    /// Why the program cannot be built here, if it takes a command that is missing.
    fn why_no_program(&self) -> Option<String> {
        let needed = self.block.says.needs.as_ref()?;
        on_path(needed).is_none().then(|| format!("there is no {needed}"))
    }

    /// Runs the scenario and reports every promise that is not kept.
    fn judge(&self, shared: &Shared) -> Result<Completion, Failed> {
        let mut verdict = self.hold(shared)?;
        if self.subject == Subject::Lesson {
            let first = verdict.first.as_ref();
            let outdated = first.and_then(|first| self.outdated_recording(shared, first));
            verdict.broken.extend(outdated);
        }
        if verdict.broken.is_empty() {
            Ok(Completion::Completed)
        } else {
            Err(self.report(&verdict).into())
        }
    }

    /// Runs the untouched exercise, which has to break just what its block names.
    fn judge_starter(&self, shared: &Shared) -> Result<Completion, Failed> {
        let verdict = self.hold(shared)?;
        let source = self.exercise_source();
        let line = marker(&self.workbook.root, &source).unwrap_or_default();
        let source = format!("{}:{line}", source.display());
        if verdict.broken.is_empty() {
            let message =
                format!("you solved it: now delete the marker line `{MARKER}` in {source}");
            return Err(message.into());
        }
        let wanted = self.block.says.starter_breaks.iter().flatten();
        let wanted: BTreeSet<&str> = wanted.map(|id| id.get_ref().as_str()).collect();
        let found = verdict.ids();
        if wanted == found {
            return Ok(Completion::Completed);
        }
        let mut change = String::new();
        for (verb, names) in [("breaks", &found - &wanted), ("keeps", &wanted - &found)] {
            for name in names {
                change
                    .push_str(&format!("Other than the untouched starter, it {verb} `{name}`.\n"));
            }
        }
        let lesson = &self.chapter().name;
        Err(format!(
            "If you have begun the exercise, delete the marker line `{MARKER}` in {source}:\n\
             then `cargo test {lesson}` judges your work.\n\
             {change}\n{}",
            self.report(&verdict),
        )
        .into())
    }

    /// The recording that the book shows has to tell the story of a fresh run.
    fn outdated_recording(&self, shared: &Shared, first: &FirstRun) -> Option<Broken> {
        let recording = shared.recordings.get(&self.name)?;
        let run = &self.block.says.runs[0];
        let files: Vec<_> = recording.file.iter().map(|file| file.name.clone()).collect();
        let but = match recording.tells_the_story_of(&first.stdout, run) {
            Err(but) => but,
            Ok(()) if !recording.ends_as(run) => {
                format!("the recorded run ends otherwise than promised, at {} s", recording.ended)
            }
            Ok(()) if recording.exit != first.exit => "the exit codes differ".to_owned(),
            Ok(()) if files != first.files => {
                format!("it left {files:?} then, {:?} now", first.files)
            }
            Ok(()) => return None,
        };
        let path = Recording::path(&self.name);
        Some(Broken {
            id: "recording".to_owned(),
            promised: format!("happens as in {}, which the chapter shows", path.display()),
            but: format!("{but}; `cargo run -- record {}` renews it", self.chapter().name),
        })
    }

    fn hold(&self, shared: &Shared) -> Result<Verdict, Failed> {
        let program = self.program();
        let command: Box<Starts> = match self.subject {
            Subject::Twin(language) => shared.twin(language, &self.twin(language))?,
            _ => {
                let executable = shared.program(self)?;
                Box::new(move || Command::new(executable))
            }
        };
        let mut verdict =
            verdict::hold(&self.block.says, command, &shared.gate, self.length(), breaks)
                .map_err(|error| format!("{program} cannot be run: {error}"))?;
        shared.repeated.fetch_add(verdict.repeated.into(), Ordering::Relaxed);
        let strangers = shared.ignored.left(&verdict.left);
        verdict.broken.extend(strangers);
        Ok(verdict)
    }

    /// The name of the program, without its directory.
    pub fn program(&self) -> String {
        let chapter = self.chapter();
        match self.subject {
            Subject::Lesson | Subject::Twin(_) => chapter.program(&self.block.says).to_owned(),
            Subject::Solution => chapter.solution_program(),
            Subject::Exercise | Subject::Starter => chapter.exercise_program(),
        }
    }

    fn twin(&self, language: Language) -> PathBuf {
        self.workbook.root.join(self.chapter().twin(&self.program(), language))
    }

    fn exercise_source(&self) -> PathBuf {
        self.chapter().source(&self.chapter().exercise_program())
    }

    fn has_exercise(&self) -> bool {
        self.workbook.root.join(self.exercise_source()).is_file()
    }

    fn no_exercise(&self) -> Result<Completion, Failed> {
        let source = self.exercise_source();
        let source = source.display();
        match self.subject {
            Subject::Starter => Ok(Completion::ignored_with("there is no exercise")),
            _ => Err(format!(
                "{source} is no longer there; `git restore {source}` brings it back as it was"
            )
            .into()),
        }
    }

    fn has_marker(&self) -> bool {
        has_marker(&self.workbook.root, &self.exercise_source())
    }

    fn report(&self, verdict: &Verdict) -> String {
        format!("{}: {}\n{verdict}", self.name, self.block.place)
    }
}
