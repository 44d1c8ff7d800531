//! Repairs of the exercises, wrong ones and right ones: a wrong one has to break what its header names, a
//! right one keeps all.
//!
//! Each is `repairs/<lesson>/<name>.patch`, a diff of the untouched exercise below a header that says what
//! it does, and on a line `Breaks:` which promises it breaks. All are applied to a copy of the workbook,
//! built by one cargo call, and held to the exercise's promises as the self-check holds the reader's own.
//!
//! `cargo test -p named --test repairs`, or `… --test repairs heartbeat` for one lesson. `REPAIRS_TIMES=10`
//! in front has each run ten times, every second time beside busy loops.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use named::bench::Bench;
use named::rounds::{Busy, all_at_once};
use named::scratch::files_in;
use named::self_check::end_with_this_process;
use named::tools::loaded;
use workbook::programs::{self, Programs};
use workbook::promise::{Profile, Scenario};
use workbook::run::{AT_ONCE, Gate, HANGS, all_is_over};
use workbook::verdict;
use workbook::workbook::{Chapter, Workbook, marker_line};

const REPAIRS: &str = "tests/named/repairs";

/// How often each is run.
const TIMES: &str = "REPAIRS_TIMES";

/// A lesson has at least so many wrong ones, and a right one.
const WRONG: usize = 3;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let workbook = match loaded() {
        Ok(workbook) => workbook,
        Err(code) => return code,
    };
    test(&arguments, &workbook).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn test(arguments: &Arguments, workbook: &Workbook) -> Result<ExitCode, Box<dyn Error>> {
    let is_selected = |name: &str| !arguments.is_filtered_out(&Trial::test(name, || Ok(())));
    let repairs = read(workbook)?;
    let mut trials = Vec::new();
    for (lesson, what) in workbook.lessons().filter(|(lesson, _)| is_selected(&lesson.name)) {
        // What passes an exam that it should not is tried by the target `exam`.
        if what.exercise.promises().is_none() {
            continue;
        }
        let of_lesson = repairs.iter().filter(|repair| repair.lesson == lesson.name);
        let enough = has_enough(&lesson.name, of_lesson);
        trials.push(Trial::test(&lesson.name, || enough.map_err(Failed::from)));
    }
    let selected: Vec<_> = repairs.iter().filter(|repair| is_selected(&repair.name())).collect();
    let outcomes = match arguments.list || selected.is_empty() {
        true => selected.iter().map(|_| Ok(())).collect(),
        false => try_all(workbook, &repairs, &selected)?,
    };
    let score = score(&selected, &outcomes);
    for (repair, outcome) in selected.iter().zip(outcomes) {
        trials.push(Trial::test(repair.name(), || outcome.map_err(Failed::from)));
    }
    let conclusion = libtest_mimic::run(arguments, trials);
    if !arguments.list {
        println!("{score}");
    }
    Ok(conclusion.exit_code())
}

/// A repair as it is written.
struct Repair {
    lesson: String,
    /// The name of its file, without the ending.
    file: String,
    /// What it changes, or what is wrong with its file.
    read: Result<Change, String>,
}

struct Change {
    /// Of the exercise.
    scenario: Scenario,
    /// The program without the marker.
    program: String,
    /// The names of the promises that it breaks; none for a right one.
    breaks: BTreeSet<String>,
}

/// Why a repair is not judged as it should be.
type Outcome = Result<(), String>;

impl Repair {
    /// Such as `heartbeat::sleeps-3-s`.
    fn name(&self) -> String {
        format!("{}::{}", self.lesson, self.file)
    }

    /// The name of its program in the copy.
    fn program(&self) -> String {
        format!("{}-repair-{}", self.lesson, self.file)
    }

    /// Whether it is a right one, as far as it can be read.
    fn is_right(&self) -> Option<bool> {
        self.read.as_ref().ok().map(|change| change.breaks.is_empty())
    }

    fn path(&self) -> PathBuf {
        Path::new(REPAIRS).join(&self.lesson).join(format!("{}.patch", self.file))
    }
}

/// All repairs, sorted.
fn read(workbook: &Workbook) -> Result<Vec<Repair>, Box<dyn Error>> {
    let place = workbook.root.join(REPAIRS);
    let mut repairs = Vec::new();
    for path in files_in(&place) {
        let below = path.strip_prefix(&place)?.to_str().ok_or("a file name that is no text")?;
        let parts = below.strip_suffix(".patch").and_then(|below| below.split_once('/'));
        let Some((lesson, file)) = parts.filter(|(_, file)| is_plain(file)) else {
            let message =
                "expected <lesson>/<name>.patch, the name of small letters, digits and `-`";
            return Err(format!("{REPAIRS}/{below}: {message}").into());
        };
        let text = fs::read(&path)?;
        let read = change(workbook, lesson, &String::from_utf8_lossy(&text));
        repairs.push(Repair { lesson: lesson.to_owned(), file: file.to_owned(), read });
    }
    Ok(repairs)
}

fn is_plain(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(is_allowed)
}

/// Reads a patch, and applies it.
fn change(workbook: &Workbook, lesson: &str, text: &str) -> Result<Change, String> {
    let chapter = workbook.chapter(lesson).ok_or(format!("no lesson is `{lesson}`"))?;
    let exercise = chapter.lesson.as_ref().ok_or("an appendix has no exercise")?;
    let exercise = exercise.exercise.promises().ok_or("an exam judges this exercise")?;
    let start = text.find("\n--- ").ok_or("there is no diff: no line begins with `--- `")? + 1;
    let (header, diff) = text.split_at(start);
    let breaks = breaks(header, &exercise.says)?;
    let program = applied(workbook, chapter, diff)?;
    Ok(Change { scenario: exercise.says.clone(), program, breaks })
}

/// The names behind `Breaks:`, which may go on in the next lines of its paragraph. A name may have a comma.
fn breaks(header: &str, exercise: &Scenario) -> Result<BTreeSet<String>, String> {
    let (says, list) =
        header.split_once("\nBreaks:").ok_or("its header has no line `Breaks: …`".to_owned())?;
    if says.trim().is_empty() {
        return Err(
            "its header does not say what it does, and why that is wrong or right".to_owned()
        );
    }
    let list = list.split("\n\n").next().unwrap_or_default();
    let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
    if list == "nothing" {
        return Ok(BTreeSet::new());
    }
    let known: BTreeSet<String> = exercise.promises().map(|(_, promise)| promise.id()).collect();
    let (mut breaks, mut rest) = (BTreeSet::new(), &*list);
    while !rest.is_empty() {
        let after = |id: &String| {
            let rest = rest.strip_prefix(id.as_str())?;
            if rest.is_empty() { Some(rest) } else { rest.strip_prefix(", ") }
        };
        let longest = known.iter().filter(|id| after(id).is_some()).max_by_key(|id| id.len());
        let Some(id) = longest else {
            let known: Vec<_> = known.iter().map(|id| format!("`{id}`")).collect();
            let known = known.join(", ");
            return Err(format!(
                "`Breaks: {rest}`: the exercise promises nothing of this name; it promises {known}"
            ));
        };
        rest = after(id).unwrap_or_default();
        breaks.insert(id.clone());
    }
    if breaks.is_empty() {
        return Err(
            "`Breaks:` names no promise; for a right repair it is `Breaks: nothing`".to_owned()
        );
    }
    Ok(breaks)
}

/// The exercise with a diff of it applied, and without the marker. The diff may have been made before or
/// after the marker was deleted.
fn applied(workbook: &Workbook, chapter: &Chapter, diff: &str) -> Result<String, String> {
    let path = chapter.source(&chapter.exercise_program());
    let shown = path.display();
    let heads: Vec<_> = diff.lines().filter(|line| line.starts_with("+++ ")).collect();
    if heads.len() != 1 || heads[0].split_whitespace().nth(1) != Some(&format!("b/{shown}")) {
        return Err(format!("it has to be a diff of one file, with the line `+++ b/{shown}`"));
    }
    let starter =
        fs::read(workbook.root.join(&path)).map_err(|error| format!("{shown}: {error}"))?;
    let starter = String::from_utf8_lossy(&starter);
    let bare = without_marker(&starter);
    let patched = patched(&starter, diff);
    let patched = patched.or_else(|error| self::patched(&bare, diff).map_err(|_| error));
    let patched = patched.map_err(|error| format!("it does not apply to {shown}: {error}"))?;
    match without_marker(&patched) {
        same if same == bare => Err("it changes nothing".to_owned()),
        program => Ok(program),
    }
}

/// What a repair leaves unused is no warning here.
fn without_marker(program: &str) -> String {
    let marker = marker_line(program);
    let lines = (1..).zip(program.split_inclusive('\n'));
    let lines = lines.filter(|(number, _)| Some(*number) != marker).map(|(_, line)| line);
    ["#![allow(unused)]\n"].into_iter().chain(lines).collect()
}

/// What a diff makes of a text, by `patch`, which has to find each line as it is in the diff.
fn patched(text: &str, diff: &str) -> Result<String, String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = scratch.path().join("program");
    fs::write(&file, text).map_err(|error| error.to_string())?;
    let run = || {
        let mut patch = Command::new("patch");
        patch.args([
            "--batch",
            "--forward",
            "--fuzz=0",
            "--reject-file=-",
            "--no-backup-if-mismatch",
        ]);
        patch.arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut patch = patch.spawn()?;
        // One that gives up does not read on.
        let _ = patch.stdin.take().map(|mut stdin| stdin.write_all(diff.as_bytes()));
        patch.wait_with_output()
    };
    let output = run().map_err(|error| format!("patch cannot be run: {error}"))?;
    if output.status.success() {
        return fs::read_to_string(&file).map_err(|error| error.to_string());
    }
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let tells = |line: &&str| line.contains("FAILED at") || line.contains("malformed");
    let reason = said.lines().find(tells).or(said.lines().next());
    Err(reason.unwrap_or("patch does not say why").trim().to_owned())
}

/// Whether a lesson has as many repairs as it needs.
fn has_enough<'a>(lesson: &str, repairs: impl Iterator<Item = &'a Repair>) -> Outcome {
    let rights: Vec<_> = repairs.filter_map(Repair::is_right).collect();
    let right = rights.iter().filter(|is_right| **is_right).count();
    let wrong = rights.len() - right;
    if wrong >= WRONG && right > 0 {
        return Ok(());
    }
    Err(format!(
        "{REPAIRS}/{lesson} has {wrong} wrong repairs and {right} right ones; a lesson needs {WRONG} \
         wrong ones and one right one"
    ))
}

/// Runs those that are selected, as often as it is asked for.
fn try_all(
    workbook: &Workbook,
    all: &[Repair],
    selected: &[&Repair],
) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let times = match env::var(TIMES) {
        Err(_) => 1,
        Ok(text) => text.parse().map_err(|_| format!("{TIMES}={text}: not a number"))?,
    };
    end_with_this_process()?;
    let programs = build(workbook, all, selected)?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut runs = Vec::new();
    for repair in selected {
        let path = repair.path();
        let source = programs.get(&repair.program());
        outcomes.push(match (&repair.read, source) {
            (Err(mistake), _) => Err(format!("{}: {mistake}", path.display())),
            (Ok(_), None) => Err(format!(
                "{}: the repaired program does not compile; the compiler's message is above",
                path.display()
            )),
            (Ok(change), Some(program)) => {
                runs.push((outcomes.len(), change, program));
                Ok(())
            }
        });
    }
    // Those that take longest first.
    runs.sort_by_key(|(_, change, _)| Reverse(length(change)));
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for time in 1..=times {
        let is_busy = time % 2 == 0;
        let _loops = is_busy.then(Busy::start).transpose()?;
        let beside = if is_busy { ", beside busy loops" } else { "" };
        eprintln!("run {time} of {times}: {} programs{beside}", runs.len());
        let judged =
            all_at_once(&runs, AT_ONCE, |(_, change, program), gate| judge(change, program, gate))?;
        for ((index, ..), outcome) in runs.iter().zip(judged) {
            if let Err(wrong) = outcome {
                found.entry(*index).or_default().push(wrong);
            }
        }
    }
    for (index, reports) in found {
        let path = selected[index].path();
        let often = match times {
            1 => String::new(),
            _ => format!("in {} of {times} runs: ", reports.len()),
        };
        outcomes[index] = Err(format!("{}: {often}{}", path.display(), reports[0]));
    }
    all_is_over();
    Ok(outcomes)
}

/// Builds those that are selected, in a copy of the workbook that has all that can be applied: what is not
/// selected this time stays as it was built.
fn build(
    workbook: &Workbook,
    all: &[Repair],
    selected: &[&Repair],
) -> Result<Programs, Box<dyn Error>> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("repairs");
    let bench = Bench::new(&workbook.root, &place, "0.0.1")?;
    let mut files = bench.files.clone();
    for repair in all {
        if let (Ok(change), Some(lesson)) = (&repair.read, workbook.chapter(&repair.lesson)) {
            let program = change.program.clone().into_bytes();
            files.insert(lesson.source(&repair.program()), program);
        }
    }
    bench.lay_out(&files)?;
    // What lessons depend on has been built for the workbook itself.
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(&place);
    let mut built = Programs::new();
    for profile in [Profile::Dev, Profile::Abort] {
        let mut command = programs::builder(&bench.copy, profile);
        command.env("CARGO_BUILD_BUILD_DIR", own).env("CARGO_TARGET_DIR", bench.target());
        let is_of_it = |repair: &&&Repair| {
            repair.read.as_ref().is_ok_and(|change| change.scenario.profile == profile)
        };
        let mut is_needed = false;
        for repair in selected.iter().filter(is_of_it) {
            command.args(["--package", &repair.lesson, "--bin", &repair.program()]);
            is_needed = true;
        }
        if is_needed {
            built.extend(programs::built_by(&mut command)?);
        }
    }
    Ok(built)
}

/// How long a run may take. One that does not end when it should may have to be ended.
fn length(change: &Change) -> Duration {
    let hangs = if change.breaks.contains("ends") { HANGS } else { Duration::ZERO };
    change.scenario.duration() + hangs
}

/// Holds a repair to the promises of its exercise, and that to what its header says.
fn judge(change: &Change, program: &Path, gate: &Gate) -> Outcome {
    let command = || Command::new(program);
    let held = verdict::hold(&change.scenario, command, gate, length(change), |promised, ran| {
        ran.breaks(promised)
    });
    let verdict = held.map_err(|error| format!("it cannot be run: {error}"))?;
    let found = verdict.ids();
    let is_kept = |id: &&String| !found.contains(id.as_str());
    let kept: Vec<_> = change.breaks.iter().filter(is_kept).map(|id| format!("`{id}`")).collect();
    match (change.breaks.is_empty(), found.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("this right repair is refused\n{verdict}")),
        (false, true) => Err(format!("this wrong repair passes\n{verdict}")),
        (false, false) if kept.is_empty() => Ok(()),
        (false, false) => Err(format!(
            "this wrong repair is refused, but it keeps {}\n{verdict}",
            kept.join(", ")
        )),
    }
}

/// What all came to, in one line.
fn score(repairs: &[&Repair], outcomes: &[Outcome]) -> String {
    let count = |right: bool| {
        let of_kind = repairs.iter().zip(outcomes);
        let of_kind = of_kind.filter(|(repair, _)| repair.is_right() == Some(right));
        let outcomes: Vec<_> = of_kind.map(|(_, outcome)| outcome.is_ok()).collect();
        let good = outcomes.iter().filter(|is_good| **is_good).count();
        format!("{good} of {}", outcomes.len())
    };
    let lessons: BTreeSet<_> = repairs.iter().map(|repair| &repair.lesson).collect();
    let unread = match repairs.iter().filter(|repair| repair.read.is_err()).count() {
        0 => String::new(),
        unread => format!("; {unread} could not be tried"),
    };
    format!(
        "repairs: {} wrong ones were refused, {} right ones passed, in {} lessons{unread}",
        count(false),
        count(true),
        lessons.len()
    )
}
