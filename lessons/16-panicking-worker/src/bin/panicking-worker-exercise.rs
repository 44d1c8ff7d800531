//! Exercise: one region that cannot be settled takes others with it, and nobody is told.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p panicking-worker --bin panicking-worker-exercise -- 5 2 4
//! Check it:    cargo test panicking-worker
//!              (this file alone: cargo test exercise::panicking-worker)
//! Start over:  git restore lessons/16-panicking-worker/src/bin/panicking-worker-exercise.rs

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let numbers: Result<Vec<u32>, _> =
        env::args().skip(1).map(|number| number.parse()).collect();
    let Ok([regions, without_rate @ ..]) = numbers.as_deref() else {
        eprintln!("say how many regions there are, and which of them have no rate");
        return ExitCode::FAILURE;
    };
    match settle_all(*regions, without_rate) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread for each region; all of them add to one total.
fn settle_all(regions: u32, without_rate: &[u32]) -> io::Result<ExitCode> {
    info!("settling {regions} regions");
    let total = Arc::new(Mutex::new(0));
    let mut threads = Vec::new();
    for region in 1..=regions {
        let has_rate = !without_rate.contains(&region);
        let total = Arc::clone(&total);
        let thread = thread::Builder::new()
            .name(format!("region-{region}"))
            .spawn(move || settle(region, has_rate, &total))?;
        threads.push(thread);
    }
    for thread in threads {
        // Only waits for its end.
        let _ = thread.join();
    }
    info!("every region is settled");
    let total = total.lock().unwrap_or_else(PoisonError::into_inner);
    info!("the total is {total}");
    Ok(ExitCode::SUCCESS)
}

/// Adds up the region's sales, which takes half a second longer for each region.
fn settle(region: u32, has_rate: bool, total: &Mutex<u32>) {
    thread::sleep(region * Duration::from_millis(500));
    let sales = region * 100;
    let mut total = total.lock().expect("no region panics");
    *total += sales * rate(region, has_rate);
    info!("region {region} is settled");
}

/// How much of a sale is due. From region 4 on a rate may have expired.
fn rate(region: u32, has_rate: bool) -> u32 {
    match region {
        _ if has_rate => 7,
        4.. => panic!("its rate has expired"),
        _ => panic!("no rate for region {region}"),
    }
}
