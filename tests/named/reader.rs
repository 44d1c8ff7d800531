//! What a reader sees on the way through an exercise, in a copy of the workbook.
//!
//! Needs a compiler and up to a minute: `cargo test -p named --test reader`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use named::desk::{Desk, answer};
use named::scratch::copy;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;
use tempfile::TempDir;
use workbook::workbook::{MARKER, Workbook};

/// How wide the names of tests are set is of no account.
#[track_caller]
fn has(text: &str, expected: &str) {
    let verdicts = Regex::new(r" +\.\.\. ").expect("a pattern");
    let told = verdicts.replace_all(text, " ... ");
    assert!(told.contains(expected), "no `{expected}` in\n{text}");
}

const FIRST: &str = "lessons/01-critical-worker/src/bin/critical-worker-exercise.rs";
const SOLUTION: &str = "lessons/01-critical-worker/src/bin/critical-worker-solution.rs";
/// What a reader's edit of the first exercise is held by, and nothing of the lesson itself.
const OF_THE_EXERCISE: [&str; 3] =
    ["exercise::critical-worker", "solution::critical-worker", "starter::critical-worker"];
const SECOND: &str = "lessons/02-heartbeat/src/bin/heartbeat-exercise.rs";

#[test]
fn the_way_through_an_exercise() {
    // Its steps come one after another: all of them build in one directory.
    let desk = Desk::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader"));
    without_marker_the_work_is_judged(&desk);
    a_solved_exercise_names_the_next_one(&desk);
    the_exercises_are_listed_with_how_far_they_are(&desk);
    a_compile_error_is_shown_and_fails_that_exercise_alone(&desk);
    a_solved_starter_with_its_marker_says_so(&desk);
    twins_need_a_python(&desk);
    an_outdated_recording_names_the_command_that_renews_it(&desk);
    another_profile_is_another_program(&desk);
    ctrl_c_ends_the_lessons_too(&desk);
    a_name_that_matches_nothing_is_an_error(&desk);
    a_mistake_in_a_chapter_stops_the_check(&desk);
}

fn without_marker_the_work_is_judged(desk: &Desk) {
    let (text, code) = desk.check(&["--exact", "exercise::critical-worker"]);
    assert_eq!(code, Some(0), "{text}");
    has(&text, "exercise::critical-worker ... ignored (not started)");

    desk.edit(FIRST, |text| text.replace(MARKER, "// mine now"));
    let (text, code) = desk.check(&OF_THE_EXERCISE);
    assert_eq!(code, Some(101), "{text}");
    has(&text, "starter::critical-worker ... ignored (begun: the marker is gone)");
    has(&text, "solution::critical-worker ... ok");
    has(&text, "exercise::critical-worker: book/chapters/01-critical-worker.md:");
    has(
        &text,
        "  promised  ends 4.4 s after the start (at most 0.5 s later) (first run)\n  but       it ended too early: after 1.6",
    );
    has(&text, "  but       it is \"row 1\\n\"\n");
    has(
        &text,
        "  but       `row 2 of 4 is in invoices.txt` is missing after `row 1 of 4 is in invoices.txt`\n",
    );
    has(&text, "    the reports are not complete: a thread panicked\n");
}

fn a_solved_exercise_names_the_next_one(desk: &Desk) {
    copy(&desk.path(SOLUTION), &desk.path(FIRST));
    let (text, code) = desk.check(&["--exact", "exercise::critical-worker"]);
    assert_eq!(code, Some(0), "{text}");
    has(&text, &format!("exercise critical-worker: passed. The next one is {SECOND}"));
}

fn the_exercises_are_listed_with_how_far_they_are(desk: &Desk) {
    desk.edit(SECOND, |text| text.replace(MARKER, ""));
    let (text, code) = desk.check(&["progress"]);
    assert_eq!(code, Some(101), "{text}");
    has(
        &text,
        "  critical-worker      done\n  heartbeat            broken\n  service-roles        not started\n",
    );
    let (_, others) = text.split_once("exercises: ").expect("the numbers");
    has(others, "1 done, 1 broken, 23 not started; `cargo test progress` lists them");
    // Begun and broken comes before what is not begun.
    has(&text, &format!("exercise critical-worker: passed. The next one is {SECOND}"));
    desk.edit(SECOND, |text| text + MARKER);
}

fn a_compile_error_is_shown_and_fails_that_exercise_alone(desk: &Desk) {
    desk.edit(FIRST, |text| {
        text.replace("fn main() -> ExitCode {", "fn main() -> ExitCode { oops();")
    });
    let (text, code) = desk.check(&OF_THE_EXERCISE);
    assert_eq!(code, Some(101), "{text}");
    has(&text, "cannot find function `oops`");
    has(&text, "solution::critical-worker ... ok");
    has(&text, &format!("{FIRST} did not compile; the compiler's message is above"));
    has(&text, "1 passed; 1 failed; 1 ignored");
}

fn a_solved_starter_with_its_marker_says_so(desk: &Desk) {
    copy(&desk.path(SOLUTION), &desk.path(FIRST));
    desk.edit(FIRST, |text| text + MARKER);
    let (text, code) = desk.check(&["--exact", "starter::critical-worker"]);
    assert_eq!(code, Some(101), "{text}");
    has(&text, &format!("you solved it: now delete the marker line `{MARKER}` in {FIRST}"));

    // Another mistake than the starter's own: whoever works with the marker still there is told.
    desk.edit(FIRST, |text| text.replace("result_of(orders)?;", "let _ = result_of(orders);"));
    let (text, code) = desk.check(&["--exact", "starter::critical-worker"]);
    assert_eq!(code, Some(101), "{text}");
    has(&text, "If you have begun the exercise, delete the marker line");
}

fn twins_need_a_python(desk: &Desk) {
    let bin = TempDir::new().expect("a temporary directory");
    let twin = ["--exact", "python::critical-worker::unwritable"];
    let check = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = |path: &PathBuf| !path.join("python3").exists();
        let mut path: Vec<_> = std::env::split_paths(&path).filter(own).collect();
        path.insert(0, bin.path().to_owned());
        let path = std::env::join_paths(path).expect("a path");
        answer(desk.self_check(&twin).env("PATH", path))
    };
    let (text, code) = check();
    assert_eq!(code, Some(0), "{text}");
    has(&text, "... ignored (there is no python3)");

    let old = bin.path().join("python3");
    fs::write(&old, "#!/bin/sh\nprintf '/usr/bin/python3\\n3.4\\n'").expect("a script");
    Command::new("/bin/chmod").arg("+x").arg(&old).status().expect("chmod");
    let (text, code) = check();
    assert_eq!(code, Some(0), "{text}");
    has(&text, "... ignored (needs Python 3.6, this is 3.4)");
}

fn an_outdated_recording_names_the_command_that_renews_it(desk: &Desk) {
    let recording = "book/recordings/heartbeat.toml";
    desk.edit(recording, |text| text.replace("beat 2", "beat two"));
    let (text, code) = desk.check(&["--exact", "heartbeat"]);
    assert_eq!(code, Some(101), "{text}");
    has(
        &text,
        "  promised  happens as in book/recordings/heartbeat.toml, which the chapter shows\n",
    );
    has(&text, "; `cargo run -- record heartbeat` renews it\n");

    fs::remove_file(desk.path(recording)).expect("a recording");
    let (text, code) = desk.check(&["--exact", "heartbeat"]);
    assert_eq!(code, Some(1), "{text}");
    has(
        &text,
        "book/recordings/heartbeat.toml is missing; `cargo run -- record heartbeat` makes it\n",
    );
    copy(&Workbook::home().join(recording), &desk.path(recording));
}

fn another_profile_is_another_program(desk: &Desk) {
    // The same panic, with the stack unwound and without.
    desk.edit("lessons/02-heartbeat/src/bin/heartbeat-joined.rs", |text| {
        text.replace("fn run() -> io::Result<()> {", "fn run() -> io::Result<()> {\n    panic!();")
    });
    let block = |name: &str, more: &str| {
        format!(
            "\n```promise\nname = \"{name}\"\nprogram = \"heartbeat-joined\"\nends = 0\n{more}\n```\n"
        )
    };
    let blocks = block("unwinds", "exit = 101")
        + &block("aborts", "profile = \"abort\"\nsignal = \"SIGABRT\"");
    desk.edit("book/chapters/02-heartbeat.md", |text| text + &blocks);
    for name in ["heartbeat::unwinds", "heartbeat::aborts"] {
        let (text, code) = desk.check(&["--exact", name]);
        assert_eq!(code, Some(0), "{text}");
        has(&text, "1 passed; 0 failed");
    }
}

fn ctrl_c_ends_the_lessons_too(desk: &Desk) {
    // Whoever has started these tests in the background has SIGINT ignored.
    let mut check =
        with_default_signals(&desk.self_check(&["--exact", "critical-worker::full-disk"]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the self-check runs");
    let mark = format!("WORKBOOK_RUN={}-", check.id());
    let lessons = || {
        let processes = fs::read_dir("/proc").expect("processes").flatten();
        let environments = processes.flat_map(|process| fs::read(process.path().join("environ")));
        environments.filter(|text| String::from_utf8_lossy(text).contains(&mark)).count()
    };
    let wait = |count| {
        let limit = Instant::now() + Duration::from_secs(10);
        while lessons() != count && Instant::now() < limit {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(lessons(), count);
    };
    wait(1);
    kill(Pid::from_raw(check.id().cast_signed()), Signal::SIGINT).expect("a process");
    assert_eq!(check.wait().expect("an end").signal(), Some(Signal::SIGINT as i32));
    wait(0);
}

/// The same command, in the same process, to which SIGINT does what it does by default.
fn with_default_signals(command: &Command) -> Command {
    let mut other = Command::new("env");
    other.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        other.current_dir(directory);
    }
    other
}

fn a_name_that_matches_nothing_is_an_error(desk: &Desk) {
    let (text, code) = desk.check(&["hartbeat"]);
    assert_eq!(code, Some(1), "{text}");
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    let lessons: String =
        workbook.chapters.iter().map(|chapter| format!("  {}\n", chapter.name)).collect();
    assert_eq!(
        text,
        format!(
            "no lesson matches `hartbeat`; did you mean `cargo test heartbeat`?\nThe lessons are:\n{lessons}"
        )
    );

    let (text, code) = desk.check(&["--list"]);
    assert_eq!(code, Some(0), "{text}");
    has(&text, "heartbeat::joined: test\n");
}

fn a_mistake_in_a_chapter_stops_the_check(desk: &Desk) {
    desk.edit("book/chapters/02-heartbeat.md", |text| text.replacen("ends = 3.5", "end = 3.5", 1));
    fs::remove_file(desk.path("book/chapters/01-critical-worker.md")).expect("a chapter");
    let (text, code) = desk.check(&[]);
    assert_eq!(code, Some(1), "{text}");
    has(&text, "book/chapters/02-heartbeat.md:");
    has(&text, ": unknown field `end`, expected one of");
    has(&text, "lessons/01-critical-worker: this lesson has no chapter");
}
