//! Counts in how many runs the last line of a cut thread is torn.

use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, panic, thread};

// ANCHOR: ways
type Print = fn(u64);

const WAYS: [(&str, Print); 3] = [
    ("a formatted println!", |n| println!("hi number {n} from the spawned thread")),
    ("println! of a whole line", |n| {
        let line = format!("hi number {n} from the spawned thread");
        println!("{line}");
    }),
    ("write_all of a whole line", |n| {
        let line = format!("hi number {n} from the spawned thread\n");
        // An error here, as there, would be that nobody reads any more.
        let _ = io::stdout().write_all(line.as_bytes());
    }),
];
// ANCHOR_END: ways

fn main() -> ExitCode {
    let argument = env::args_os().nth(1).unwrap_or_else(|| "400".into());
    if let Some((_, print)) = WAYS.iter().find(|(way, _)| argument == *way) {
        return print_for_a_moment(*print);
    }
    let runs = argument.to_str().and_then(|runs| runs.parse::<u16>().ok());
    let Some(runs) = runs else {
        let argument = argument.display();
        return lesson_log::failure(format!(
            "`{argument}` is not a number of runs"
        ));
    };
    for (way, _) in WAYS {
        match count_torn(way, runs) {
            Ok(torn) => {
                let line = format!("{way}: torn in {torn} of {runs} runs");
                let _ = writeln!(io::stdout(), "{line}");
            }
            Err(why) => {
                return lesson_log::failure(format!("cannot run myself: {why}"));
            }
        }
    }
    ExitCode::SUCCESS
}

// ANCHOR: child
/// One run: three detached threads print, and `main` returns in the midst of it.
fn print_for_a_moment(print: Print) -> ExitCode {
    for start in [100_000, 200_000, 300_000] {
        let primes = (start..)
            .filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0));
        let name = format!("primes-{start}");
        let spawned =
            thread::Builder::new().name(name).spawn(move || primes.for_each(print));
        if let Err(why) = spawned {
            return lesson_log::failure(format!("cannot start a thread: {why}"));
        }
    }
    thread::sleep(Duration::from_millis(5));
    ExitCode::SUCCESS
}
// ANCHOR_END: child

/// Starts this program `runs` times, two at a time.
fn count_torn(way: &str, runs: u16) -> io::Result<u32> {
    let program = env::current_exe()?;
    let half = |number| -> io::Result<u32> {
        let mut torn = 0;
        for _ in (number..runs).step_by(2) {
            let run = Command::new(&program).arg(way).output()?;
            if !run.status.success() {
                return Err(io::Error::other("a run has failed"));
            }
            let printed = run.stdout;
            torn += u32::from(!printed.is_empty() && !printed.ends_with(b"\n"));
        }
        Ok(torn)
    };
    thread::scope(|scope| {
        let start = |number| {
            let counter = thread::Builder::new().name(format!("half-{number}"));
            counter.spawn_scoped(scope, move || half(number))
        };
        let counts = [start(0)?, start(1)?].map(|count| match count.join() {
            Ok(torn) => torn,
            Err(payload) => panic::resume_unwind(payload),
        });
        counts.into_iter().sum()
    })
}
