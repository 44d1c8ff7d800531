//! The same orders in a scope of rayon's: the scope waits for its jobs.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use rayon::ThreadPoolBuilder;
use tracing::info;

static PRINTED: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    match no_address().and_then(print_labels) {
        Ok(6) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => lesson_log::failure(why),
    }
}

/// Says how many of the six labels are printed.
fn print_labels(no_address: u32) -> Result<u32, String> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(2)
        .thread_name(|index| format!("printer-{}", index + 1))
        .build()
        .map_err(|why| format!("cannot start the printers: {why}"))?;
    info!("orders come in for 3 s");
    // ANCHOR: scope
    pool.in_place_scope(|scope| {
        for order in incoming_orders() {
            scope.spawn(move |_| print_label(order, no_address));
        }
        info!("the last order is in");
        // Here the scope waits for every job that was spawned in it.
    });
    // ANCHOR_END: scope
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

/// The argument: an order that has no address, or 0.
fn no_address() -> Result<u32, String> {
    let Some(order) = env::args_os().nth(1) else { return Ok(0) };
    let number = order.to_str().and_then(|order| order.parse().ok());
    number.ok_or_else(|| format!("not the number of an order: {}", order.display()))
}
