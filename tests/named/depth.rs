//! Damages what carries each lesson's point, and sees that the lesson's own tests fail.
//!
//! `depth.toml` lists the damages, most of them one line: the join, the close, the timeout. Each is
//! made in a copy of the workbook, and the self-check runs the tests that have to fail there.
//!
//! Needs a compiler and some minutes: `cargo test -p named --test depth`, or `cargo test -p named --test depth
//! heartbeat` for one lesson. `SNAPSHOTS=overwrite` in front writes anew what the book shows of it, where
//! more than a measured time has changed.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use libtest_mimic::{Arguments, Failed, Trial};
use named::bench::Bench;
use named::self_check::self_check;
use regex::Regex;
use serde::Deserialize;
use snapbox::assert::{Action, DEFAULT_ACTION_ENV};
use snapbox::{Assert, Data, Redactions};
use toml::Spanned;
use workbook::page::all_of;
use workbook::page::line_of;
use workbook::workbook::{Chapter, Workbook};

const LIST: &str = "tests/named/depth.toml";
/// Keeps what a whole run came to, for the book.
const SCORE: &str = "depth/score.txt";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    test(&arguments).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn test(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let root = Workbook::home().canonicalize()?;
    let workbook = Workbook::load(&root).map_err(|problems| format!("{:#}", all_of(problems)))?;
    let text = fs::read_to_string(root.join(LIST))?;
    let list: List = toml::from_str(&text).map_err(|error| format!("{LIST}: {error}"))?;
    let is_selected = |name: &str| !arguments.is_filtered_out(&Trial::test(name, || Ok(())));

    let mut trials = Vec::new();
    for (chapter, _) in workbook.lessons() {
        if is_selected(&chapter.name) && !list.patch.iter().any(|patch| patch.damages(chapter)) {
            let message = format!("{LIST} has no patch for src/main.rs or a module of it");
            trials.push(Trial::test(&chapter.name, || Err(message.into())));
        }
    }
    let patches: Vec<_> =
        list.patch.into_iter().filter(|patch| is_selected(&patch.name())).collect();
    if patches.is_empty() && trials.is_empty() {
        return Err(format!("no patch of {LIST} matches").into());
    }
    let results = if arguments.list {
        patches.iter().map(|_| Ok(())).collect()
    } else {
        Trials::new(&root, &workbook, &text)?.try_all(&patches)
    };
    let caught = results.iter().filter(|result| result.is_ok()).count();
    let lessons: BTreeSet<_> = patches.iter().map(|patch| patch.lesson.clone()).collect();
    let all = patches.len();
    for (patch, result) in patches.iter().zip(results) {
        trials.push(Trial::test(patch.name(), || result.map_err(Failed::from)));
    }
    let score =
        format!("depth: {caught} of {all} patches were caught, in {} lessons", lessons.len());
    if arguments.filter.is_none() && arguments.skip.is_empty() {
        let held = if arguments.list { Ok(()) } else { hold(&root, Path::new(SCORE), &score, "") };
        trials.push(Trial::test("score", || held.map_err(Failed::from)));
    }
    let conclusion = libtest_mimic::run(arguments, trials);
    if !arguments.list {
        println!("{score}");
    }
    Ok(conclusion.exit_code())
}

/// What `depth.toml` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    patch: Vec<Patch>,
}

/// A damage, and who has to notice it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    lesson: String,
    /// What is damaged, in a few words.
    what: String,
    /// Relative to the lesson's directory.
    file: PathBuf,
    /// Stands in the file once.
    find: Spanned<String>,
    replace: String,
    /// The tests of the self-check that have to fail.
    fails: BTreeSet<String>,
    /// A file beside the list that keeps what the first of them says.
    report: Option<PathBuf>,
}

impl Patch {
    fn name(&self) -> String {
        format!("{}::{}", self.lesson, self.what)
    }

    /// Whether a program could be damaged by both. Lessons do not know of one another; within one,
    /// programs share modules and nothing else.
    fn meets(&self, other: &Self) -> bool {
        let is_program = |patch: &Self| {
            patch.file.parent() != Some(Path::new("src")) || patch.file.ends_with("main.rs")
        };
        self.lesson == other.lesson
            && (self.file == other.file || !is_program(self) || !is_program(other))
    }

    /// Whether it is in the lesson itself, not in a variant, the solution or the twin.
    fn damages(&self, chapter: &Chapter) -> bool {
        self.lesson == chapter.name && self.file.parent() == Some(Path::new("src"))
    }
}

/// Where patches are tried.
struct Trials<'a> {
    root: &'a Path,
    workbook: &'a Workbook,
    /// The text of the list.
    list: &'a str,
    bench: Bench,
    /// The tests of the self-check.
    tests: BTreeSet<String>,
}

/// Why a patch was not caught.
type Caught = Result<(), String>;

impl<'a> Trials<'a> {
    fn new(root: &'a Path, workbook: &'a Workbook, list: &'a str) -> Result<Self, Box<dyn Error>> {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("depth");
        let bench = Bench::new(root, &place, "0.0.0")?;
        let names = self_check(root, Path::new("")).arg("--list").output()?.stdout;
        let names = String::from_utf8(names)?;
        let tests = names.lines().filter_map(|line| line.strip_suffix(": test"));
        let tests = tests.map(str::to_owned).collect();
        Ok(Self { root, workbook, list, bench, tests })
    }

    /// Tries each patch, in rounds of as many as do not meet.
    fn try_all(&self, patches: &[Patch]) -> Vec<Caught> {
        let mut outcomes: Vec<Option<Caught>> = Vec::new();
        let mut names = BTreeSet::new();
        let mut rounds: Vec<Vec<usize>> = Vec::new();
        for (index, patch) in patches.iter().enumerate() {
            let mistake = if names.insert(patch.name()) {
                self.damaged(patch).err()
            } else {
                Some("another patch of this lesson has the same name".to_owned())
            };
            if mistake.is_none() {
                let is_free = |round: &&mut Vec<usize>| {
                    round.iter().all(|other| !patch.meets(&patches[*other]))
                };
                match rounds.iter_mut().find(is_free) {
                    Some(round) => round.push(index),
                    None => rounds.push(vec![index]),
                }
            }
            outcomes.push(mistake.map(Err));
        }
        // Damage that is not in the way may stay: what is undone has to be built as well.
        let mut made: Vec<usize> = Vec::new();
        for (number, round) in (1..).zip(&rounds) {
            let meets = |one: usize, other: usize| patches[one].meets(&patches[other]);
            made.retain(|&old| round.iter().all(|&new| !meets(old, new)));
            made.extend(round);
            eprintln!("round {number} of {}: {} programs are damaged", rounds.len(), round.len());
            let of = |numbers: &[usize]| numbers.iter().map(|&n| &patches[n]).collect::<Vec<_>>();
            let run = self.run(&of(&made), &of(round));
            for &index in round {
                let outcome = match &run {
                    Ok(run) => self.judge(&patches[index], run),
                    Err(error) => Err(format!("the self-check cannot be run: {error}")),
                };
                outcomes[index] = Some(outcome);
            }
        }
        let outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or(Ok(())));
        let place =
            |patch: &Patch| format!("{LIST}:{}", line_of(self.list, patch.find.span().start));
        let with_place = |(outcome, patch): (Caught, &Patch)| {
            outcome.map_err(|error| format!("{}: {error}", place(patch)))
        };
        outcomes.zip(patches).map(with_place).collect()
    }

    /// The path of the file that a patch damages, and what is in it then.
    ///
    /// # Errors
    ///
    /// What is wrong with the patch.
    fn damaged(&self, patch: &Patch) -> Result<(PathBuf, Vec<u8>), String> {
        let lesson = &patch.lesson;
        let lesson = self.workbook.chapter(lesson).ok_or(format!("no lesson is `{lesson}`"))?;
        let path = lesson.directory.join(&patch.file);
        let shown = path.display();
        let text = self.bench.files.get(&path).ok_or(format!("there is no {shown}"))?;
        let text = String::from_utf8_lossy(text);
        let find = patch.find.get_ref();
        match text.matches(find.as_str()).count() {
            1 => {}
            count => return Err(format!("`find` has to stand in {shown} once, not {count} times")),
        }
        if patch.fails.is_empty() {
            return Err("`fails` names no test".to_owned());
        }
        if let Some(unknown) = patch.fails.iter().find(|test| !self.tests.contains(*test)) {
            return Err(format!("there is no test `{unknown}`"));
        }
        Ok((path, text.replace(find.as_str(), &patch.replace).into_bytes()))
    }

    /// Makes some damages at once, and runs the tests that have to fail for some of them.
    fn run(&self, made: &[&Patch], tried: &[&Patch]) -> Result<Round, Box<dyn Error>> {
        let mut files = self.bench.files.clone();
        for patch in made {
            files.extend([self.damaged(patch)?]);
        }
        let tests: BTreeSet<_> = tried.iter().flat_map(|patch| &patch.fails).collect();
        self.bench.lay_out(&files)?;
        let mut command = self_check(&self.bench.copy, &self.bench.target());
        // What the lessons depend on has been built for the workbook itself, and is built only once
        // where cargo knows this variable: from Rust 1.91 on.
        let own = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(self.root);
        command.env("CARGO_BUILD_BUILD_DIR", own).args(["--format", "json", "--exact"]);
        for test in self.tests.iter().filter(|test| !tests.contains(test)) {
            command.args(["--skip", test]);
        }
        let output = command.output()?;
        let stdout = String::from_utf8(output.stdout)?;
        let events = stdout.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
        Ok(Round {
            ended: events.map(|event| (event.name.clone(), event)).collect(),
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// Whether the tests that have to fail did so.
    fn judge(&self, patch: &Patch, run: &Round) -> Caught {
        for test in &patch.fails {
            let Some(event) = run.ended.get(test) else {
                return Err(format!("`{test}` was not run:\n{}", run.stderr));
            };
            let message = event.message();
            if event.event == "ok" {
                let damaged = patch.file.display();
                return Err(format!("survived: `{test}` passes with this damage to {damaged}"));
            } else if message.contains(" did not compile; ") {
                let errors = run.errors_in(&self.workbook.chapter(&patch.lesson));
                return Err(format!("the damaged program does not compile\n{errors}"));
            } else if !breaks_a_promise(message) {
                return Err(format!("`{test}` has {}, for no promise: {message}", event.event));
            }
        }
        let first = patch.fails.first().and_then(|test| run.ended.get(test));
        match (&patch.report, first) {
            (Some(path), Some(event)) => hold(self.root, path, event.message(), &patch.lesson),
            _ => Ok(()),
        }
    }
}

/// What came of one round.
struct Round {
    ended: HashMap<String, Event>,
    stderr: String,
}

impl Round {
    /// What the compiler says of a lesson's programs.
    fn errors_in(&self, lesson: &Option<&Chapter>) -> String {
        let Some(lesson) = lesson else { return String::new() };
        let place = format!("--> {}/", lesson.directory.display());
        let paragraphs = self.stderr.split("\n\n").filter(|text| text.contains(&place));
        let errors = paragraphs.filter_map(|text| text.find("\nerror").map(|at| &text[at + 1..]));
        errors.collect::<Vec<_>>().join("\n\n")
    }
}

/// A line that the self-check prints of a test when it is asked for JSON.
#[derive(Deserialize)]
struct Event {
    name: String,
    /// `started`, and then `ok`, `failed` or `ignored`.
    event: String,
    #[serde(default)]
    stdout: String,
}

impl Event {
    /// Why it failed.
    fn message(&self) -> &str {
        let message = self.stdout.strip_prefix("Error: \"").unwrap_or(&self.stdout);
        message.strip_suffix("\"\n").unwrap_or(message)
    }
}

/// That a run differs from the recording in the book is no promise of the chapter.
fn breaks_a_promise(report: &str) -> bool {
    let mut promises = report.lines().filter_map(|line| line.strip_prefix("  promised  "));
    promises.any(|promise| !promise.starts_with("happens as in book/recordings/"))
}

/// Holds a text against the one that is kept in a file beside the list; measured times may differ.
fn hold(root: &Path, file: &Path, now: &str, filter: &str) -> Caught {
    let path = Path::new(LIST).with_file_name(file);
    let shown = path.display();
    let now = format!("{}\n", now.trim_end());
    let kept = fs::read_to_string(root.join(&path)).unwrap_or_default();
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    // Not as a file of snapbox's own: it would write what it compares, and the book shows the times.
    let without_times = |text: &str| Data::text(without_times(text)).raw();
    match assert.try_eq(Some(&"now"), without_times(&now), without_times(&kept)) {
        Err(_) if assert.selected_action() == Action::Overwrite => {
            Data::text(now).write_to_path(&root.join(&path)).map_err(|error| error.to_string())
        }
        Err(difference) => {
            let command =
                format!("{DEFAULT_ACTION_ENV}=overwrite cargo test -p named --test depth {filter}");
            let command = command.trim_end();
            let difference = difference.to_string();
            let difference = difference.trim();
            Err(format!("{shown} is outdated; `{command}` writes it anew:\n{difference}"))
        }
        Ok(()) => Ok(()),
    }
}

/// A report without the times that were measured. Those that are promised stay.
fn without_times(report: &str) -> String {
    static TIMES: LazyLock<Redactions> = LazyLock::new(|| {
        let time = Regex::new(r"[0-9]+\.[0-9]+ ?s").expect("a regular expression");
        let mut times = Redactions::new();
        times.insert("[TIME]", time).expect("a placeholder");
        times
    });
    let lines = report.split_inclusive('\n').map(|line| match line.starts_with("  promised ") {
        true => line.to_owned(),
        false => TIMES.redact(line),
    });
    lines.collect()
}
