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
    let argument = env::args().nth(1).unwrap_or_else(|| "400".to_owned());
    if let Some((_, print)) = WAYS.iter().find(|(way, _)| *way == argument) {
        return print_for_a_moment(*print);
    }
    let Ok(runs) = argument.parse() else {
        eprintln!("`{argument}` is not a number of runs");
        return ExitCode::FAILURE;
    };
    println!("{runs} runs of 5 ms for each way to print");
    for (way, _) in WAYS {
        match count_torn(way, runs) {
            Ok(torn) => println!("{way}: torn in {torn} of {runs} runs"),
            Err(error) => {
                eprintln!("cannot run myself: {error}");
                return ExitCode::FAILURE;
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
        if let Err(error) = spawned {
            eprintln!("cannot start a thread: {error}");
            return ExitCode::FAILURE;
        }
    }
    thread::sleep(Duration::from_millis(5));
    ExitCode::SUCCESS
}
// ANCHOR_END: child

/// Starts this program `runs` times, two at a time.
fn count_torn(way: &str, runs: u32) -> io::Result<u32> {
    let program = env::current_exe()?;
    let half = |number| -> io::Result<u32> {
        let mut torn = 0;
        for _ in (number..runs).step_by(2) {
            let printed = Command::new(&program).arg(way).output()?.stdout;
            torn += u32::from(!printed.is_empty() && !printed.ends_with(b"\n"));
        }
        Ok(torn)
    };
    thread::scope(|scope| {
        let start = |number| {
            let counter = thread::Builder::new().name(format!("half-{number}"));
            counter.spawn_scoped(scope, move || half(number))
        };
        let counts = [start(0)?, start(1)?];
        let counts = counts.into_iter().map(|count| count.join());
        counts
            .map(|count| count.unwrap_or_else(|panic| panic::resume_unwind(panic)))
            .sum()
    })
}
