//! Solution: at each end, the queue is closed, the watcher told, and both awaited.

use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::{task, time};
use tokio_util::sync::CancellationToken;
use tracing::info;

// ANCHOR: solution
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let stop = CancellationToken::new();
    let (queue, receipts) = mpsc::unbounded_channel();
    let mailer = tokio::spawn(mail_receipts(receipts));
    let watched = stop.clone();
    let watcher = task::spawn_blocking(move || watch_stock(&watched));

    info!("the shop opens");
    let taken = take_orders(queue).await;
    // The mailer ends with its queue; the watcher has to be told.
    stop.cancel();
    let (mailed, watched) = tokio::join!(mailer, watcher);
    match (taken, mailed, watched) {
        (Ok(()), Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(why), ..) => lesson_log::failure(why),
        _ => lesson_log::failure("a receipt or the stock is missing"),
    }
}

/// Drops the queue at each of its ends.
async fn take_orders(queue: UnboundedSender<u32>) -> Result<(), String> {
    for order in env::args_os().skip(1) {
        take_order().await;
        let items = order.to_str().and_then(|order| order.parse().ok());
        let items = items
            .ok_or_else(|| format!("not a number of items: {}", order.display()))?;
        queue.send(items).map_err(|_| "nobody mails receipts any more")?;
    }
    info!("the last order is taken");
    Ok(())
}
// ANCHOR_END: solution

/// Takes a quarter of a second.
async fn take_order() {
    time::sleep(Duration::from_millis(250)).await;
}

/// One after another, 0.4 s for each item. What is in the queue has to be mailed.
async fn mail_receipts(mut receipts: UnboundedReceiver<u32>) {
    while let Some(items) = receipts.recv().await {
        assert!(items > 0, "a receipt has at least one item");
        time::sleep(items * Duration::from_millis(400)).await;
        info!("the receipt for {items} items is mailed");
    }
}

// ANCHOR: watch
/// Reads the stock file again and again. A read blocks for two seconds.
fn watch_stock(stop: &CancellationToken) {
    let _file = StockFile;
    while !stop.is_cancelled() {
        thread::sleep(Duration::from_secs(2));
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
