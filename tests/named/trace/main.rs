//! `when-main-returns trace` on programs in several languages, of other people and small ones: what it has to say
//! of each, and what it must not.
//!
//! Needs compilers and servers for some tests, which are listed as ignored without them. `TRACE_TIMES=20` in
//! front tries each test as often, every second time beside busy loops.

mod beside;
mod command;
mod languages;
mod programs;
mod servers;
mod threads;
mod traced;

use std::env;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use named::rounds::Busy;
use workbook::programs::on_path;
use workbook::run::inside;

const TIMES: &str = "TRACE_TIMES";

/// How many tests run at the same time: they mostly sleep.
const AT_ONCE: usize = 4;

/// The busy loops, of which there are never more than one set.
static LOOPS: Mutex<Weak<Busy>> = Mutex::new(Weak::new());

/// A test, and the programs without which it is ignored.
type Test = (&'static str, &'static [&'static str], fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    if let Some(code) = inside() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    if !arguments.list {
        programs::build();
    }
    let tests =
        [threads::TESTS, beside::TESTS, languages::TESTS, servers::TESTS, command::TESTS].concat();
    let trials = tests.into_iter().map(|(name, needs, test)| {
        Trial::ignorable_test(name, move || try_often(name, needs, test))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn try_often(
    name: &str,
    needs: &[&str],
    test: fn() -> Result<(), Failed>,
) -> Result<Completion, Failed> {
    if let Some(tool) = needs.iter().find(|tool| on_path(tool).is_none()) {
        return Ok(Completion::ignored_with(format!("there is no {tool}")));
    }
    let Ok(times) = env::var(TIMES) else { return test().map(|()| Completion::Completed) };
    let times: usize = times.parse().map_err(|_| format!("{TIMES}={times}: not a number"))?;
    let mut failures = Vec::new();
    for time in 0..times {
        let _loops = (time % 2 == 1).then(busy).transpose()?;
        if let Err(failed) = test() {
            let load = if time % 2 == 1 { ", under load" } else { "" };
            let said = failed.message().unwrap_or("it failed").to_owned();
            failures.push(format!("{} of {times}{load}: {said}", time + 1));
        }
    }
    println!("{name}: {} of {times} were right", times - failures.len());
    if failures.is_empty() { Ok(Completion::Completed) } else { Err(failures.join("\n").into()) }
}

/// Keeps the machine busy, with all others who ask for it, until the last of them lets go.
fn busy() -> io::Result<Arc<Busy>> {
    let mut loops = LOOPS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loops) = loops.upgrade() {
        return Ok(loops);
    }
    let started = Arc::new(Busy::start()?);
    *loops = Arc::downgrade(&started);
    Ok(started)
}
