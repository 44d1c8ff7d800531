//! A worker panics, and the health check sees it: the process ends with an error.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

// ANCHOR: main
fn main() -> ExitCode {
    lesson_log::init();
    info!("6 orders are to be imported");
    let importer = thread::Builder::new().name("importer".to_owned());
    let importer = match importer.spawn(import) {
        Ok(importer) => importer,
        Err(error) => {
            return lesson_log::failure(format!(
                "cannot start the importer: {error}"
            ));
        }
    };

    let start = Instant::now();
    for second in 1..=4 {
        // The change: the handle is kept, and asked without waiting.
        if importer.is_finished() {
            let how = if importer.join().is_err() { "panicked" } else { "ended" };
            info!("health check {second}: the importer has {how}");
            return ExitCode::FAILURE;
        }
        info!("health check {second}: ok");
        sleep_until(start + second * Duration::from_secs(1));
    }
    info!("the service is stopped");
    ExitCode::SUCCESS
}
// ANCHOR_END: main

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
