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

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use named::rounds::try_often;
use workbook::run::inside;

const TIMES: &str = "TRACE_TIMES";

/// How many tests run at the same time: they mostly sleep.
const AT_ONCE: usize = 4;

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
        Trial::ignorable_test(name, move || try_often(TIMES, name, needs, test))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
