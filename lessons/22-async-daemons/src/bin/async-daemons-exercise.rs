//! Exercise: a shop that mails a receipt for each order, and watches its stock.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p async-daemons --bin async-daemons-exercise -- 2 4 3
//! Check it:    cargo test async-daemons
//!              (this file alone: cargo test exercise::async-daemons)
//! Start over:  git restore lessons/22-async-daemons/src/bin/async-daemons-exercise.rs

use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::{task, time};
use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let (queue, receipts) = mpsc::unbounded_channel();
    tokio::spawn(mail_receipts(receipts));
    task::spawn_blocking(watch_stock);

    info!("the shop opens");
    for order in env::args_os().skip(1) {
        take_order().await;
        let Some(items) = order.to_str().and_then(|order| order.parse().ok())
        else {
            return lesson_log::failure(format!(
                "not a number of items: {}",
                order.display()
            ));
        };
        if queue.send(items).is_err() {
            return lesson_log::failure("nobody mails receipts any more");
        }
    }
    info!("the last order is taken");
    ExitCode::SUCCESS
}

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

/// Reads the stock file again and again. A read blocks for two seconds.
fn watch_stock() {
    let _file = StockFile;
    loop {
        thread::sleep(Duration::from_secs(2));
    }
}

/// Other programs wait until it is closed.
struct StockFile;

impl Drop for StockFile {
    fn drop(&mut self) {
        info!("the stock file is closed");
    }
}
