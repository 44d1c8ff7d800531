//! Solution: the panic stays outside of the lock, and every join is looked at.

use std::any::Any;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

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
    // ANCHOR: join
    let mut code = ExitCode::SUCCESS;
    for (region, thread) in (1..).zip(threads) {
        // All are joined, also after one that has panicked.
        if let Err(panic) = thread.join() {
            eprintln!("region {region} is not settled: {}", reason(&*panic));
            code = ExitCode::FAILURE;
        }
    }
    if code == ExitCode::SUCCESS {
        info!("every region is settled");
    }
    let total = total.lock().unwrap_or_else(PoisonError::into_inner);
    info!("the total is {total}");
    Ok(code)
    // ANCHOR_END: join
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "it does not say why"
    }
}

// ANCHOR: settle
/// Adds up the region's sales, which takes half a second longer for each region.
fn settle(region: u32, has_rate: bool, total: &Mutex<u32>) {
    thread::sleep(region * Duration::from_millis(500));
    let sales = region * 100;
    // What can panic comes before the lock.
    let due = sales * rate(region, has_rate);
    *total.lock().expect("an addition does not panic") += due;
    info!("region {region} is settled");
}
// ANCHOR_END: settle

/// How much of a sale is due. From region 4 on a rate may have expired.
fn rate(region: u32, has_rate: bool) -> u32 {
    match region {
        _ if has_rate => 7,
        4.. => panic!("its rate has expired"),
        _ => panic!("no rate for region {region}"),
    }
}
