//! The services of the book under load: 400 connections of which some are slow, half-open or silent, too few
//! descriptors for a while, and a signal in the middle. What is right differs from service to service and
//! stands in its module.
//!
//! `LOAD_SEED` repeats a plan. `LOAD_TIMES=20` in front tries as many plans one after another, every second
//! one beside busy loops.

mod edge_gateway;
mod graceful_sigterm;
mod inference_telemetry;
mod service;
mod storm;
mod warm_start;

use std::env;
use std::process::ExitCode;
use std::sync::LazyLock;

use fastrand::Rng;
use libtest_mimic::{Failed, Trial};
use named::rounds::Busy;
use named::tools::{as_the_chapter_tells, one_at_a_time};
use workbook::programs::{self, Programs};
use workbook::promise::Profile;
use workbook::workbook::Workbook;

const SEED: &str = "LOAD_SEED";
const TIMES: &str = "LOAD_TIMES";

const LESSONS: [&str; 4] =
    ["graceful-sigterm", "inference-telemetry", "warm-start", "edge-gateway"];

static PROGRAMS: LazyLock<Programs> =
    LazyLock::new(|| programs::build(&Workbook::home(), LESSONS, Profile::Dev).expect("cargo"));

fn main() -> ExitCode {
    let trials: [Tried; LESSONS.len()] = [
        graceful_sigterm::trial,
        inference_telemetry::trial,
        warm_start::trial,
        edge_gateway::trial,
    ];
    let trials = LESSONS.into_iter().zip(trials);
    let trials = trials.map(|(lesson, trial)| Trial::test(lesson, move || try_each(lesson, trial)));
    one_at_a_time(trials.collect(), || {
        LazyLock::force(&PROGRAMS);
    })
}

/// What was counted, each in a line whose `{}` is the figure of the chapter's block.
type Counts = Vec<(&'static str, usize)>;

/// Starts a service and lays the plan of these dice upon it.
type Tried = fn(&mut Rng) -> Result<Counts, Failed>;

/// As many plans as are asked for, one after another; holds the sum of what they came to against the chapter.
fn try_each(lesson: &str, trial: Tried) -> Result<(), Failed> {
    let number = |variable| match env::var(variable) {
        Ok(text) => text.parse().map(Some).map_err(|_| format!("{variable}={text}: not a number")),
        Err(_) => Ok(None),
    };
    let times = number(TIMES)?.unwrap_or(1);
    let first = number(SEED)?.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let mut sum: Counts = Vec::new();
    for time in 0..times {
        let seed = first + time;
        let _loops = (time % 2 == 1).then(Busy::start).transpose()?;
        let counts = trial(&mut Rng::with_seed(seed)).map_err(|failed| {
            let message = failed.message().unwrap_or("it failed").to_owned();
            format!("{SEED}={seed} ({} of {times}): {message}", time + 1)
        })?;
        println!("{lesson}, {SEED}={seed}: {counts:?}");
        for (index, (line, count)) in counts.into_iter().enumerate() {
            match sum.get_mut(index) {
                Some((_, sum)) => *sum += count,
                None => sum.push((line, count)),
            }
        }
    }
    sum.push(("{} plans were tried, and all was right", times as usize));
    let found: Vec<_> =
        sum.iter().map(|(line, count)| line.replace("{}", &count.to_string())).collect();
    as_the_chapter_tells(lesson, "load", &found)
}
