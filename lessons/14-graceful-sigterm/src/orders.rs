//! The queue of accepted orders, and the thread that writes them to a file.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tracing::info;

use crate::worker::Worker;

/// The numbers of the last order accepted and of the last one written.
#[derive(Default)]
pub struct Tally {
    pub accepted: AtomicU32,
    pub written: AtomicU32,
}

/// The way into the queue. The queue closes when the last clone of this is dropped.
#[derive(Clone)]
pub struct Queue {
    orders: Sender<u32>,
    pub tally: Arc<Tally>,
}

// ANCHOR: orders
impl Queue {
    /// Gives the order its number; `None` if nobody writes orders any more. Only the
    /// server's thread calls this, so that no two orders get the same one.
    pub fn accept(&self) -> Option<u32> {
        let order = self.tally.accepted.load(Ordering::Relaxed) + 1;
        self.orders.send(order).ok()?;
        self.tally.accepted.store(order, Ordering::Relaxed);
        Some(order)
    }
}

pub fn start(mut file: File) -> io::Result<(Queue, Worker<io::Result<()>>)> {
    let (orders, accepted) = mpsc::channel();
    let tally = Arc::new(Tally::default());
    let queue = Queue { orders, tally: Arc::clone(&tally) };
    let work = move || write_orders(&accepted, &mut file, &tally.written);
    Ok((queue, Worker::spawn("writer", work)?))
}

/// Ends when the queue is closed and empty.
fn write_orders(
    accepted: &Receiver<u32>,
    file: &mut File,
    written: &AtomicU32,
) -> io::Result<()> {
    for order in accepted {
        reserve_stock();
        file.write_all(format!("order {order}\n").as_bytes())?;
        written.store(order, Ordering::Relaxed);
        info!("order {order} is written");
    }
    Ok(())
}
// ANCHOR_END: orders

/// Asks the warehouse, which takes a second.
fn reserve_stock() {
    thread::sleep(Duration::from_secs(1));
}
