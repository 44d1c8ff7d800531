//! A worker panics, and nobody looks: the process lives on without it and exits with 0.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    info!("6 orders are to be imported");
    // ANCHOR: spawn
    // The handle is dropped: nobody will ask how the importer ended.
    let importer = thread::Builder::new().name("importer".to_owned());
    if let Err(error) = importer.spawn(import) {
        return lesson_log::failure(format!("cannot start the importer: {error}"));
    }
    // ANCHOR_END: spawn

    let start = Instant::now();
    for second in 1..=4 {
        info!("health check {second}: ok");
        sleep_until(start + second * Duration::from_secs(1));
    }
    info!("the service is stopped");
    ExitCode::SUCCESS
}

/// Takes half a second for an order; the third has no customer.
fn import() {
    let start = Instant::now();
    for order in 1..=6 {
        sleep_until(start + order * Duration::from_millis(500));
        if order == 3 {
            panic!("order {order} has no customer");
        }
        info!("order {order} is imported");
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
