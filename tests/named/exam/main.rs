//! `when-main-returns exam`: the solutions in all languages pass it, for each trial a service that is wrong in
//! one thing fails this one as the first, and what is no service is told in a line.
//!
//! Needs compilers for some tests, which are listed as ignored without them. `EXAM_TIMES=15` in front tries each
//! test as often, every second time beside busy loops.

mod command;
mod held;
mod solutions;
mod twins;

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use named::rounds::try_often;
use workbook::run::inside;

const TIMES: &str = "EXAM_TIMES";

/// How many exams are held at the same time: they mostly sleep.
const AT_ONCE: usize = 4;

/// What a test has found, where nothing is wrong.
enum Found {
    /// All is as it has to be.
    Right,
    /// This machine does not give the right that it takes, and why.
    NotTried(String),
}

fn main() -> ExitCode {
    if let Some(code) = inside() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    if !arguments.list {
        held::build();
        solutions::build();
    }
    let trials = [solutions::tests(), twins::tests(), command::tests()];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// A test that is ignored where one of the programs is missing that it needs, or a right.
fn trial(
    name: String,
    needs: &'static [&'static str],
    test: impl Fn() -> Result<Found, Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name.clone(), move || {
        let hindrance = Mutex::new(None);
        let completion = try_often(TIMES, &name, needs, || {
            if let Found::NotTried(why) = test()? {
                *hindrance.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            }
            Ok(())
        })?;
        let hindrance = hindrance.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(hindrance.map_or(completion, Completion::ignored_with))
    })
}
