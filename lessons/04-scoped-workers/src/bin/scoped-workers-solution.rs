//! Solution: the threads belong to the function that starts them.

use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};
use std::{env, io};

use tracing::info;

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

// ANCHOR: solution
/// Raises every price, whether the branch can be told or not.
fn raise_prices(prices: &mut [u32], branch: &str) -> io::Result<()> {
    info!("raising {} prices", prices.len());
    let (first, second) = prices.split_at_mut(prices.len() / 2);
    thread::scope(|scope| {
        worker("first").spawn_scoped(scope, || raise(first))?;
        worker("second").spawn_scoped(scope, || raise(second))?;
        // An error ends this closure early. The scope waits for both threads all the same.
        tell(branch)
    })
}
// ANCHOR_END: solution

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
