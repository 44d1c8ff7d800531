//! The same orders for a pool of rayon's: dropping it does not wait.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use rayon::ThreadPoolBuilder;
use tracing::info;

static PRINTED: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    match number(1).and_then(|no_address| print_labels(no_address, number(2)?)) {
        Ok(6) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => lesson_log::failure(why),
    }
}

/// Says how many of the six labels are printed some seconds after the pool is dropped.
fn print_labels(no_address: u32, stay: u32) -> Result<u32, String> {
    // ANCHOR: spawn
    let pool = ThreadPoolBuilder::new()
        .num_threads(2)
        .thread_name(|index| format!("printer-{}", index + 1))
        .build()
        .map_err(|why| format!("cannot start the printers: {why}"))?;
    info!("orders come in for 3 s");
    for order in incoming_orders() {
        pool.spawn(move || print_label(order, no_address));
    }
    info!("the last order is in");
    // Tells the threads to end when there are no more jobs, and does not wait.
    drop(pool);
    // ANCHOR_END: spawn
    thread::sleep(Duration::from_secs(stay.into()));
    let printed = PRINTED.load(Ordering::Relaxed);
    info!("{printed} of 6 labels are printed");
    Ok(printed)
}

/// Looks up an address for 1.5 s and prints the label.
fn print_label(order: u32, no_address: u32) {
    thread::sleep(Duration::from_millis(1500));
    if order == no_address {
        panic!("order {order} has no address");
    }
    info!("label {order} is printed");
    PRINTED.fetch_add(1, Ordering::Relaxed);
}

/// Six orders: after half a second, after a second, and so on.
fn incoming_orders() -> impl Iterator<Item = u32> {
    let start = Instant::now();
    (1..=6).inspect(move |&order| {
        let due = start + order * Duration::from_millis(500);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    })
}

/// The first argument is an order that has no address, the second the seconds that `main` stays.
fn number(nth: usize) -> Result<u32, String> {
    let Some(number) = env::args_os().nth(nth) else { return Ok(0) };
    let number = number.to_str().and_then(|number| number.parse().ok());
    number
        .ok_or("the number of an order, and of seconds that main stays".to_owned())
}
