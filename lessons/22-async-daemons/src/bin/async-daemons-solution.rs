//! Solution: the queue is closed, the watcher is told to stop, both are awaited.

use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::{task, time};
use tokio_util::sync::CancellationToken;
use tracing::info;

// ANCHOR: solution
#[tokio::main]
async fn main() -> ExitCode {
    lesson_log::init();
    let argument = env::args().nth(1).unwrap_or_else(|| "4".to_owned());
    let Ok(orders) = argument.parse() else {
        eprintln!("not a number of orders: {argument}");
        return ExitCode::FAILURE;
    };
    let stop = CancellationToken::new();
    let (queue, receipts) = mpsc::unbounded_channel();
    let mailer = tokio::spawn(mail_receipts(receipts));
    let watched = stop.clone();
    let watcher = task::spawn_blocking(move || watch_stock(&watched));

    info!("the shop takes {orders} orders");
    for order in 1..=orders {
        take_order().await;
        if queue.send(order).is_err() {
            eprintln!("nobody mails receipts any more");
            return ExitCode::FAILURE;
        }
    }
    info!("the last order is taken");
    // The mailer ends with its queue; the watcher has to be told.
    drop(queue);
    stop.cancel();
    let (mailed, watched) = tokio::join!(mailer, watcher);
    if mailed.is_err() || watched.is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
// ANCHOR_END: solution

/// Takes a quarter of a second.
async fn take_order() {
    time::sleep(Duration::from_millis(250)).await;
}

/// One after another, a second each. What is in the queue has to be mailed.
async fn mail_receipts(mut receipts: UnboundedReceiver<u32>) {
    while let Some(order) = receipts.recv().await {
        time::sleep(Duration::from_secs(1)).await;
        info!("receipt {order} is mailed");
    }
}

// ANCHOR: watch
/// Reads the stock file again and again, with calls that block.
fn watch_stock(stop: &CancellationToken) {
    let _file = StockFile;
    while !stop.is_cancelled() {
        thread::sleep(Duration::from_millis(200));
    }
}
// ANCHOR_END: watch

/// Other programs wait until it is closed.
struct StockFile;

impl Drop for StockFile {
    fn drop(&mut self) {
        info!("the stock file is closed");
    }
}
