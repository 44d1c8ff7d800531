//! The live page: who may ask the reader's server to run something, and that all it starts is ended.
//!
//! `LIVE_TIMES=30` in front tries each test as often, every second time beside busy loops.

mod browser;
mod buttons;
mod directories;
mod ends;
mod misdeeds;
mod safe;
mod server;
mod small;

use std::fmt::Debug;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use named::rounds::try_often;

const TIMES: &str = "LIVE_TIMES";

/// How many tests run at the same time: they mostly sleep.
const AT_ONCE: usize = 4;

/// Of what was found, so many characters are told.
const MOST: usize = 2000;

/// A test, and the programs without which it is ignored.
struct Test {
    name: String,
    needs: &'static [&'static str],
    act: Box<dyn Fn() -> Result<(), Failed> + Send>,
}

impl Test {
    fn new(name: impl Into<String>, act: impl Fn() -> Result<(), Failed> + Send + 'static) -> Self {
        Self { name: name.into(), needs: &[], act: Box::new(act) }
    }

    fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    fn trial(self) -> Trial {
        let Self { name, needs, act } = self;
        Trial::ignorable_test(name.clone(), move || try_often(TIMES, &name, needs, act))
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let tests = [
        buttons::tests,
        safe::tests,
        directories::tests,
        ends::tests,
        misdeeds::tests,
        browser::tests,
    ];
    let tests = tests.into_iter().flat_map(|tests| tests());
    let trials = tests.map(Test::trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Nothing where what is found is as expected, and else both.
fn is<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), Failed> {
    if found == expected {
        Ok(())
    } else {
        let found: String = format!("{found:?}").chars().take(MOST).collect();
        Err(format!("{what}: {found} and not {expected:?}").into())
    }
}

/// Nothing where a text has what is expected.
fn has(text: &str, expected: &str) -> Result<(), Failed> {
    if text.contains(expected) { Ok(()) } else { Err(format!("no `{expected}` in\n{text}").into()) }
}
