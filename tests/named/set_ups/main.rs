//! The self-check and the book on machines that are set up otherwise than the one they were written
//! on: with few processes, with a full disk, beside an editor, when the terminal is closed.
//!
//! Each trial makes its set-up itself, as a user without rights where that can be; where a machine
//! cannot give it, the trial is ignored and says why.

use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};
use named::desk::Desk;
use named::self_check::{guarded, self_check};
use named::terminal::with_variables_of;
use workbook::workbook::Workbook;

mod disk;
mod ends;
mod limits;
mod names;
mod own_book;
mod reports;
mod tools;
mod twins;

/// What a trial does.
type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    // Some start whole checks, of which more than two would hold each other up.
    let arguments = Arguments::from_args();
    let threads = arguments.test_threads.or(Some(2));
    let arguments = Arguments { test_threads: threads, ..arguments };
    let modules = [
        disk::trials,
        ends::trials,
        limits::trials,
        names::trials,
        own_book::trials,
        reports::trials,
        tools::trials,
        twins::trials,
    ];
    let trials: Vec<Trial> = modules.into_iter().flat_map(|trials| trials()).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A copy of the workbook, which one trial has at a time.
struct Alone {
    desk: Desk,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Alone {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

/// A copy of the workbook. What one trial has built the others have, too: so none changes a program while
/// another runs it.
fn desk() -> Alone {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Alone { desk: Desk::new(target()), _turn: turn }
}

/// Where the trials build.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("set-ups")
}

/// The whole self-check of this workbook, in a process group of its own.
fn whole_check() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let mut command = self_check(&Workbook::home(), target);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

/// The whole self-check, from a shell that does something before.
fn from_a_shell(before: &str, arguments: &[&str]) -> Command {
    let check = whole_check();
    let mut shell = guarded("sh");
    shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]).arg(check.get_program());
    with_variables_of(&check, &mut shell).args(arguments).stdin(Stdio::null());
    shell
}

/// Makes the same trial of each; they sleep most of the time.
fn all_at_once<T: Sync>(
    each: &[T],
    trial: impl Fn(&T) -> Result<(), Failed> + Sync,
) -> Result<(), Failed> {
    let trial = &trial;
    let in_words = |failed: Failed| failed.message().unwrap_or_default().to_owned();
    thread::scope(|scope| {
        let start = |one| {
            let builder = thread::Builder::new().name("one of them".to_owned());
            let trial = move || trial(one).map_err(in_words);
            builder.spawn_scoped(scope, trial).expect("a thread")
        };
        let started: Vec<_> = each.iter().map(start).collect();
        let ended = started.into_iter().map(|trial| trial.join().expect("no panic"));
        ended.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(())
}

/// A trial that fails with this message where a text has not what is expected.
fn has(text: &str, expected: &str) -> Result<(), Failed> {
    if text.contains(expected) { Ok(()) } else { Err(format!("no `{expected}` in\n{text}").into()) }
}
