//! What a page offers to run: the commands that stand in it, and what can be predicted of each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use workbook::commands::{check_command, run_command, twin_command};
use workbook::promise::judge::{End, Ran, texts};
use workbook::promise::{Exit, FilePromise, Language, LinePromise, Lines, Promise, Run, Scenario};
use workbook::promise::{Stream, TOLERANCE, in_seconds};
use workbook::workbook::{Chapter, Workbook};

/// More than so many questions nobody answers before a run.
const MOST_QUESTIONS: usize = 5;

/// What is run at the press of a button.
#[derive(Clone, Debug)]
pub struct Job {
    /// Such as `heartbeat::joined`, `python::heartbeat` or `exercise::heartbeat`.
    pub id: String,
    /// The lesson.
    pub lesson: String,
    /// What the reader would type for each of its runs.
    pub commands: Vec<String>,
    /// The page on which its promises stand.
    page: PathBuf,
    /// What is promised.
    pub scenario: Scenario,
    /// What is run.
    pub subject: Subject,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A program of a package, which may have a feature: `lesson/feature`.
    Program {
        /// What is built.
        package: String,
        /// What is run.
        program: String,
    },
    /// A Python program, relative to the root.
    Python(PathBuf),
    /// The reader's exercise: a program whose source, relative to the root, is this.
    Exercise {
        /// What is built.
        package: String,
        /// What is run.
        program: String,
        /// What the reader edits.
        source: PathBuf,
    },
}

/// All that can be run, in the order of the book. Twins in Java and Go, whose start takes a compiler,
/// are not; nor is what needs a feature that is off.
pub fn jobs(workbook: &Workbook) -> Vec<Job> {
    let mut jobs = Vec::new();
    for chapter in &workbook.chapters {
        for page in &chapter.pages {
            for block in &page.promises {
                let scenario = &block.says;
                let mut add = |id: String, command: &dyn Fn(&Scenario) -> String, subject| {
                    let (lesson, page) = (chapter.name.clone(), page.path.clone());
                    let scenario = scenario.clone();
                    let alone =
                        |run: &Run| Scenario { runs: vec![run.clone()], ..scenario.clone() };
                    let commands = scenario.runs.iter().map(|run| command(&alone(run))).collect();
                    jobs.push(Job { id, lesson, commands, page, scenario, subject });
                };
                let run = |scenario: &Scenario| run_command(chapter, scenario);
                let name = scenario.full_name(&chapter.name);
                if scenario.starter_breaks.is_some() {
                    let program = chapter.exercise_program();
                    let subject = Subject::Exercise {
                        package: chapter.package_of(&program).to_owned(),
                        source: chapter.source(&program),
                        program,
                    };
                    add(format!("exercise::{}", chapter.name), &run, subject);
                    continue;
                }
                if scenario.twins.contains_key(&Language::Python) {
                    let twin = chapter.twin(chapter.program(scenario), Language::Python);
                    let command =
                        |scenario: &Scenario| twin_command(chapter, scenario, Language::Python);
                    add(format!("python::{name}"), &command, Subject::Python(twin));
                }
                if scenario.language().is_none() && scenario.feature.is_none() {
                    let program = chapter.program(scenario).to_owned();
                    let package = chapter.package(scenario);
                    let subject = Subject::Program { package, program };
                    add(name, &run, subject);
                }
            }
        }
    }
    jobs
}

/// What a page has to offer: for each command that it shows, what is run for it.
///
/// Where one command has promises on several pages, those of this page count, then those of its lesson.
pub fn of_page(workbook: &Workbook, jobs: &[Job], page: &Path) -> Value {
    let Some((page, owner)) = workbook.page(page) else { return json!([]) };
    let lesson = owner.map(|chapter| &chapter.name);
    let mut offers = Vec::new();
    let mut known = Vec::new();
    let mut in_order: Vec<_> = jobs.iter().collect();
    in_order.sort_by_key(|job| (job.page != page.path, Some(&job.lesson) != lesson));
    for job in in_order {
        let mut offer = |command: &str, check: bool| {
            let stands_there =
                page.text.lines().any(|line| line.trim() == command) || job.page == page.path;
            if stands_there && !known.contains(&command.to_owned()) {
                known.push(command.to_owned());
                let questions: Vec<_> = questions(&job.scenario.runs[0]).collect();
                let questions = questions.iter().map(Question::told);
                let questions: Vec<_> = questions.take(MOST_QUESTIONS).collect();
                offers.push(json!({
                    "command": command, "id": job.id, "check": check, "questions": questions,
                }));
            }
        };
        offer(&job.commands[0], false);
        if let (Subject::Exercise { .. }, Some(chapter)) =
            (&job.subject, workbook.chapter(&job.lesson))
        {
            offer(&check(chapter), true);
        }
    }
    json!(offers)
}

/// What the reader types to have the exercise checked.
fn check(chapter: &Chapter) -> String {
    let promised = chapter.lesson.as_ref().and_then(|lesson| lesson.exercise.promises());
    promised.map(|block| check_command(chapter, &block.says)).unwrap_or_default()
}

/// What can be asked of a run beforehand.
enum Question<'a> {
    Ends,
    Exit,
    Lines(Stream, &'a LinePromise),
    Text(Stream, &'a LinePromise, String),
    File(&'a str),
}

/// What can be predicted of a run, from what is promised of it.
fn questions(run: &Run) -> impl Iterator<Item = Question<'_>> {
    run.promises.iter().filter_map(|promise| match promise {
        Promise::Ends(_) => Some(Question::Ends),
        Promise::Exit(_) => Some(Question::Exit),
        Promise::Lines(stream, line) => match &line.what {
            // How often a line comes is what a reader counts; that nothing comes is no question.
            Lines::Says(texts) if texts.is_empty() => None,
            Lines::Says(_) => Some(Question::Lines(*stream, line)),
            Lines::Has(pattern, _) => {
                Some(Question::Text(*stream, line, pattern.plain()?.to_owned()))
            }
            _ => None,
        },
        Promise::File(path, FilePromise::Lines(_)) => Some(Question::File(path)),
        _ => None,
    })
}

impl Question<'_> {
    fn id(&self) -> String {
        match self {
            Self::Ends => "ends".to_owned(),
            Self::Exit => "exit".to_owned(),
            Self::Lines(stream, line) => {
                format!("{stream} {}", line.thread.as_deref().unwrap_or_default())
            }
            Self::Text(stream, line, text) => {
                format!("{stream} {} {text}", line.thread.as_deref().unwrap_or_default())
            }
            Self::File(path) => format!("file {path}"),
        }
    }

    fn told(&self) -> Value {
        let label = match self {
            Self::Ends => "ends after so many seconds (or: never)".to_owned(),
            Self::Exit => "exit code (or signal)".to_owned(),
            Self::Lines(stream, LinePromise { thread: None, .. }) => format!("lines on {stream}"),
            Self::Lines(_, LinePromise { thread: Some(thread), .. }) => {
                format!("lines of thread {thread}")
            }
            Self::Text(_, _, text) => format!("lines with “{text}”"),
            Self::File(path) => format!("lines in {path}"),
        };
        json!({ "id": self.id(), "label": label })
    }

    /// What the run came to.
    fn value(&self, ran: &Ran) -> Value {
        let lines = |stream: Stream, thread: Option<&str>| {
            texts(&String::from_utf8_lossy(ran.printed(stream)), thread)
        };
        let (value, about) = match self {
            Self::Ends => match ran.end {
                End::Ended { since_start, .. } => (seconds(since_start), TOLERANCE.as_secs_f64()),
                _ => ("never".to_owned(), 0.0),
            },
            Self::Exit => match ran.exit {
                _ if !ran.end.is_its_own() => ("none".to_owned(), 0.0),
                Exit::Code(code) => (code.to_string(), 0.0),
                signal @ Exit::Signal(_) => (signal.to_string(), 0.0),
            },
            Self::Lines(stream, line) => {
                (lines(*stream, line.thread.as_deref()).len().to_string(), 0.0)
            }
            Self::Text(stream, line, text) => {
                let lines = lines(*stream, line.thread.as_deref());
                (lines.iter().filter(|line| line.contains(text)).count().to_string(), 0.0)
            }
            Self::File(path) => {
                let bytes = fs::read(ran.directory.join(path)).unwrap_or_default();
                (bytes.iter().filter(|byte| **byte == b'\n').count().to_string(), 0.0)
            }
        };
        json!({ "id": self.id(), "value": value, "about": about })
    }
}

/// The values of all that could be predicted.
pub fn values(promised: &Run, ran: &Ran) -> Vec<Value> {
    questions(promised).take(MOST_QUESTIONS).map(|question| question.value(ran)).collect()
}

/// To a hundredth, as in the pictures: what is beyond differs from run to run.
pub fn rounded(time: Duration) -> Duration {
    Duration::from_millis((time.as_millis() as u64 + 5) / 10 * 10)
}

fn seconds(time: Duration) -> String {
    in_seconds(rounded(time)).replace(" s", "")
}
