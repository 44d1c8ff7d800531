//! What several test targets need.

use std::env;
use std::io;
use std::process::{Child, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use workbook::page::all_of;
pub use workbook::programs::on_path;
use workbook::workbook::Workbook;

/// The workbook; if something is wrong with it, that is told on standard error.
pub fn loaded() -> Result<Workbook, ExitCode> {
    Workbook::load(&Workbook::home()).map_err(|problems| {
        eprintln!("{:#}", all_of(problems));
        ExitCode::FAILURE
    })
}

/// Runs tests of which each has the machine for itself, and says what it found while the others wait.
/// `build` makes what they need before the first one starts, and is left out for a mere list.
pub fn one_at_a_time(trials: Vec<Trial>, build: impl FnOnce()) -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    if !arguments.list {
        build();
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// How a process ended, if it does within a time.
pub fn ended_within(process: &mut Child, time: Duration) -> io::Result<Option<ExitStatus>> {
    let limit = Instant::now() + time;
    while Instant::now() < limit {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(None)
}

/// A test that is ignored where a program is not installed.
pub fn needs(
    tool: &'static str,
    test: fn() -> Result<(), Failed>,
) -> impl FnOnce() -> Result<Completion, Failed> {
    move || match on_path(tool) {
        Some(_) => test().map(|()| Completion::Completed),
        None => Ok(Completion::ignored_with(format!("there is no {tool}"))),
    }
}

/// Dice whose seed is printed; the environment variable of this name repeats it.
pub fn seeded(variable: &str) -> Rng {
    let given = env::var(variable).ok();
    let dice = given.map_or_else(Rng::new, |seed| {
        Rng::with_seed(seed.parse().unwrap_or_else(|_| panic!("{variable}={seed} is no seed")))
    });
    println!("\n{variable}={}", dice.get_seed());
    dice
}

/// Prints what was found and holds it against the lesson's `measured` block of this name.
pub fn as_the_chapter_tells(lesson: &str, block: &str, found: &[String]) -> Result<(), Failed> {
    let found = found.join("\n");
    println!("\n{found}");
    let workbook =
        Workbook::load(&Workbook::home()).map_err(|problems| format!("{:#}", all_of(problems)))?;
    let measured = workbook.measured(lesson, block);
    let measured = measured.ok_or_else(|| format!("the chapter has no block `{block}`"))?;
    measured.judge(&found).map_err(|wrong| wrong.join("\n").into())
}
