//! Exercise: two threads raise a price list while `main` tells the branch about it.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p scoped-workers --bin scoped-workers-exercise -- 4 berlin
//! Check it:    cargo test scoped-workers
//!              (this file alone: cargo test exercise::scoped-workers)
//! Start over:  git restore lessons/04-scoped-workers/src/bin/scoped-workers-exercise.rs

use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};
use std::{env, io};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args().skip(1);
    let count = arguments.next().map_or(Ok(4), |count| count.parse::<u32>());
    let branch = arguments.next().unwrap_or_else(|| "berlin".to_owned());
    let Ok(count) = count else {
        eprintln!("the first argument is the number of prices");
        return ExitCode::FAILURE;
    };
    let mut prices: Vec<u32> = (1..=count).map(|number| number * 100).collect();
    let told = raise_prices(&mut prices, &branch);
    info!("the prices are {prices:?}");
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Raises every price, whether the branch can be told or not.
fn raise_prices(prices: &mut [u32], branch: &str) -> io::Result<()> {
    info!("raising {} prices", prices.len());
    let (first, second) = prices.split_at_mut(prices.len() / 2);
    // The compiler does not let a thread borrow the list, so each gets its part.
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    let threads = [
        worker("first").spawn(move || raise(&mut first))?,
        worker("second").spawn(move || raise(&mut second))?,
    ];
    tell(branch)?;
    for thread in threads {
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    Ok(())
}

/// Raises each price by a tenth, in 0.8 s a price.
fn raise(prices: &mut [u32]) {
    let start = Instant::now();
    for (price, number) in prices.iter_mut().zip(1..) {
        let due = start + number * Duration::from_millis(800);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let old = *price;
        *price += old / 10;
        info!("{old} becomes {price}");
    }
}

/// There are two branches; others cannot be told.
fn tell(branch: &str) -> io::Result<()> {
    thread::sleep(Duration::from_millis(300));
    if !["berlin", "tokyo"].contains(&branch) {
        return Err(io::Error::other(format!("there is no branch in {branch}")));
    }
    info!("{branch} has been told");
    Ok(())
}

fn worker(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}
