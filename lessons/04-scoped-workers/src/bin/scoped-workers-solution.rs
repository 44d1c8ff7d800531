//! Solution: the threads belong to the function that starts them.

use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::{Duration, Instant};
use std::{env, io};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args_os().skip(1);
    let count = arguments
        .next()
        .map_or(Some(4), |count| count.to_str()?.parse::<u8>().ok());
    let branch = arguments.next().unwrap_or_else(|| "berlin".into());
    let Some(count) = count else {
        return lesson_log::failure(
            "the first argument is the number of prices, at most 255",
        );
    };
    let mut prices: Vec<u32> =
        (1..=count.into()).map(|number| number * 100).collect();
    let told = raise_prices(&mut prices, &branch.to_string_lossy());
    info!("the prices are {prices:?}");
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: solution
/// Raises every price, whether the branch can be told or not. The branch is told meanwhile.
fn raise_prices(prices: &mut [u32], branch: &str) -> io::Result<()> {
    info!("raising {} prices", prices.len());
    let (first, second) = prices.split_at_mut(prices.len() / 2);
    thread::scope(|scope| {
        worker("first")
            .spawn_scoped(scope, || raise(ask_for_rate(), first))
            .map_err(cannot_start)?;
        worker("second")
            .spawn_scoped(scope, || raise(ask_for_rate(), second))
            .map_err(cannot_start)?;
        // An error ends this closure early. The scope waits for both threads all the same.
        tell(branch)
    })
}
// ANCHOR_END: solution

/// How many parts of a hundred prices are raised by. It takes 0.5 s to ask for that.
fn ask_for_rate() -> u32 {
    thread::sleep(Duration::from_millis(500));
    10
}

/// Raises each price, in 0.8 s a price. A label has room for three digits.
fn raise(rate: u32, prices: &mut [u32]) {
    let start = Instant::now();
    for (price, number) in prices.iter_mut().zip(1..) {
        let due = start + number * Duration::from_millis(800);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let old = *price;
        *price += old * rate / 100;
        assert!(*price < 1000, "a label has no room for {price}");
        info!("{old} becomes {price}");
    }
}

/// Takes 1.7 s. There are two branches; of others it is known at once.
fn tell(branch: &str) -> io::Result<()> {
    if !["berlin", "tokyo"].contains(&branch) {
        return Err(io::Error::other(format!("there is no branch in {branch}")));
    }
    thread::sleep(Duration::from_millis(1700));
    info!("{branch} has been told");
    Ok(())
}

fn worker(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}

fn cannot_start(error: io::Error) -> io::Error {
    io::Error::other(format!("cannot start a thread: {error}"))
}
