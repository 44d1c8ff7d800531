//! The self-check: one test for every promise block of every chapter, and for what a reader's edit can
//! break besides.
//!
//! `heartbeat` and `heartbeat::joined` run a lesson's programs, `python::…`, `java::…` and `go::…` their twins,
//! `solution::heartbeat` the exercise's solution, `exercise::heartbeat` what the reader has made
//! of the exercise, and `starter::heartbeat` proves that the untouched exercise fails as it should.
//! `compile-errors::…` holds what a chapter shows as an error, `book::…` builds the book.
//! `progress` runs all exercises and lists how far the reader is.

mod assert;
mod book;
mod check;
mod compile_errors;
mod exam;
mod progress;
mod select;
mod shared;

use std::env;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;

use check::{Check, checks};
use exam::{Sitting, sittings};
use libtest_mimic::{Arguments, Completion, Trial};
use select::{Needs, Selection, likely, plain};
use shared::Shared;
use workbook::page::all_of;
use workbook::programs;
use workbook::promise::{APART, Profile, TOLERANCE, in_seconds};
use workbook::run::{self, AT_ONCE, Room, leftovers};
use workbook::workbook::Workbook;

const NO_NEXTEST: &str = "the lessons are checked by `cargo test`, which has all of them under way at \
                          once; nextest would start each by itself";

const NOTHING_IGNORED: &str = "`--ignored` has nothing to run: a test is ignored where something is missing, \
                               and its line says what; `cargo test` runs all others";

fn main() -> ExitCode {
    if let Some(code) = run::inside().or_else(compile_errors::inside) {
        return code;
    }
    if env::var_os("NEXTEST").is_some() {
        eprintln!("{NO_NEXTEST}");
        return ExitCode::FAILURE;
    }
    let mut selection = Selection::from_args();
    if selection.arguments.ignored {
        eprintln!("{NOTHING_IGNORED}");
        return ExitCode::FAILURE;
    }
    let lists_progress = selection.words.iter().any(|word| plain(word) == "progress");
    if lists_progress {
        selection.words = vec!["exercise::".to_owned()];
        // The list has their names.
        selection.arguments.quiet = true;
    }
    let read = Workbook::load(&Workbook::home())
        .and_then(|workbook| Ok((workbook.recordings()?, Arc::new(workbook))));
    let (recordings, workbook) = match read {
        Ok(read) => read,
        Err(problems) => {
            eprintln!("{:#}", all_of(problems));
            return ExitCode::FAILURE;
        }
    };
    for notice in &workbook.notices {
        eprintln!("{notice}");
    }
    let tests = tests(&workbook);
    let names: Vec<_> = tests.iter().map(Test::name).collect();
    selection.understand(&workbook, &names);
    let shared = Arc::new(Shared::new(&workbook, recordings));
    let (trials, needs) = trials(tests, &selection, &shared, &workbook);
    let without_a_test = selection.without_a_test();
    if !without_a_test.is_empty() || trials.is_empty() {
        nothing_matches(&workbook, &names, &without_a_test, selection.arguments.list);
        if !selection.arguments.list {
            return ExitCode::FAILURE;
        }
    }
    // They are selected, and would be so once more by another rule.
    let mut arguments = Arguments { exact: false, skip: Vec::new(), ..selection.arguments };
    if arguments.list {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let threads = match threads(&arguments, trials.len()) {
        Ok(threads) => threads,
        Err(missing) => {
            eprintln!("{missing}");
            return ExitCode::FAILURE;
        }
    };
    arguments.test_threads = Some(threads);
    if let Err(error) = run::end_with_this_process(None) {
        eprintln!("the check cannot start: {error}");
        return ExitCode::FAILURE;
    }
    // Looking for a language takes as long as a build that has nothing to do.
    thread::scope(|scope| {
        for (language, sources) in &needs.twins {
            let look = || shared.find(*language, sources);
            let thread = thread::Builder::new().name(language.key().to_owned());
            if thread.spawn_scoped(scope, look).is_err() {
                shared.find(*language, sources);
            }
        }
        shared.build(&workbook.root, &needs);
    });
    for (language, sources) in &needs.twins {
        let oldest = sources.values().min();
        if let Some(why_not) = oldest.and_then(|oldest| shared.why_no_twins(*language, *oldest)) {
            eprintln!("the {language} twins are ignored: {why_not}");
        }
    }
    if let Some(place) = programs::sets_abort(&workbook.root) {
        eprintln!(
            "{place} sets `panic = \"abort\"`: `cargo run` obeys it, and lessons about panics end otherwise \
             than their chapters say; the check builds them with `unwind`"
        );
    }
    if let Some(name) = programs::forces_abort(&workbook.root) {
        eprintln!("{name} has `panic=abort`: lessons about panics fail; unset it for the check");
    }
    shared.gate.expect(trials.len().min(threads));
    let conclusion = libtest_mimic::run(&arguments, trials);

    let repeated = shared.repeated.load(Ordering::Relaxed);
    if repeated > 0 {
        let (late, apart) = (in_seconds(TOLERANCE), in_seconds(APART));
        println!(
            "run once more, because between {late} and {apart} late or beside a standstill: {repeated}"
        );
    }
    shared.tell_progress(&workbook, lists_progress);
    let left = leftovers();
    for process in &left {
        eprintln!("a process is left over from the check: {process}");
    }
    run::all_is_over();
    if left.is_empty() { conclusion.exit_code() } else { ExitCode::FAILURE }
}

/// How many tests to have under way: most of a lesson's time it sleeps, so as many as this machine has
/// room for, unless fewer are asked for.
fn threads(arguments: &Arguments, trials: usize) -> Result<usize, String> {
    let asked = match (arguments.test_threads, env::var("RUST_TEST_THREADS")) {
        (Some(threads), _) => threads,
        (None, Err(_)) => AT_ONCE,
        (None, Ok(text)) => {
            text.parse().map_err(|_| format!("RUST_TEST_THREADS={text}: not a number"))?
        }
    };
    let wanted = asked.clamp(1, trials.max(2));
    let room = run::room()?;
    // There may be limits that nobody tells of.
    let started = can_be_started(wanted);
    if started < wanted && started / 4 < room.programs {
        let programs = (started / 4).max(1);
        eprintln!("no more than {started} threads can be started: at most {programs} at once");
        return Ok(programs);
    }
    if room.programs < wanted {
        let Room { programs, because } = room;
        eprintln!("{because}: at most {programs} at once, which takes longer");
        return Ok(programs);
    }
    Ok(wanted)
}

/// How many of so many threads can be started.
fn can_be_started(threads: usize) -> usize {
    let all_are_there = Mutex::new(());
    let is_held = all_are_there.lock();
    thread::scope(|scope| {
        let start = |_: &usize| {
            let wait = || drop(all_are_there.lock());
            thread::Builder::new().name("room".to_owned()).spawn_scoped(scope, wait).is_ok()
        };
        let started = (0..threads).take_while(start).count();
        drop(is_held);
        started
    })
}

/// A test.
enum Test {
    /// Of what a chapter promises.
    Promise(Box<Check>),
    /// Of what the chapter of this index shows as an error, by its name.
    CompileErrors(usize, String),
    /// Of the book as a whole.
    Book,
    /// Of a program that sits an exam.
    Exam(Sitting),
}

impl Test {
    fn name(&self) -> String {
        match self {
            Self::Promise(check) => check.name.clone(),
            Self::CompileErrors(_, name) => name.clone(),
            Self::Book => book::NAME.to_owned(),
            Self::Exam(sitting) => sitting.name.clone(),
        }
    }
}

/// All tests, those of the lessons first; last those that wait for all others.
fn tests(workbook: &Arc<Workbook>) -> Vec<Test> {
    let promises = checks(workbook).into_iter().map(|check| Test::Promise(Box::new(check)));
    let chapters = workbook.chapters.iter().enumerate();
    let errors = chapters.filter(|(_, chapter)| compile_errors::has_some(workbook, chapter));
    let errors =
        errors.map(|(index, chapter)| Test::CompileErrors(index, compile_errors::name(chapter)));
    let exams = sittings(workbook).into_iter().map(Test::Exam);
    promises.chain(errors).chain([Test::Book]).chain(exams).collect()
}

/// Those of the tests that run, and what has to be built for them.
fn trials(
    tests: Vec<Test>,
    selection: &Selection,
    shared: &Arc<Shared>,
    workbook: &Arc<Workbook>,
) -> (Vec<Trial>, Needs) {
    let (mut trials, mut needs) = (Vec::new(), Needs::default());
    for test in tests {
        let name = test.name();
        if !selection.picks(&name) {
            continue;
        }
        let (workbook, shared) = (Arc::clone(workbook), Arc::clone(shared));
        trials.extend(match test {
            Test::Exam(sitting) => sitting.into_trial(selection, &mut needs, &shared),
            Test::Promise(check) => {
                check.needs(&mut needs);
                Some(check.into_trial(&shared))
            }
            Test::CompileErrors(index, _) => {
                let other = shared.other();
                Some(Trial::ignorable_test(name, move || {
                    let (_other, _expected) = (other, shared.gate.expected());
                    compile_errors::judge(&workbook.root, &workbook.chapters[index], &shared.gate)
                }))
            }
            Test::Book => {
                needs.packages.entry(Profile::Dev).or_default().insert(book::PACKAGE.to_owned());
                let other = shared.other();
                Some(Trial::ignorable_test(name, move || {
                    let (_other, _expected) = (other, shared.gate.expected());
                    book::judge(&workbook, &shared).map(|()| Completion::Completed)
                }))
            }
        });
    }
    (trials, needs)
}

/// Says what there is instead.
fn nothing_matches(workbook: &Workbook, names: &[String], words: &[&str], is_listed: bool) {
    if words.is_empty() {
        eprintln!("no test is left; `--skip` leaves out all that were picked");
    }
    for word in words {
        let word = word.escape_debug();
        match likely(&word.to_string(), workbook, names) {
            Some(likely) => {
                eprintln!("no lesson matches `{word}`; did you mean `cargo test {likely}`?");
            }
            None => eprintln!("no lesson matches `{word}`"),
        }
    }
    if words.is_empty() || is_listed {
        return;
    }
    eprintln!("The lessons are:");
    for chapter in &workbook.chapters {
        eprintln!("  {}", chapter.name);
    }
}
