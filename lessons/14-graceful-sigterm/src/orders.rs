//! The book of orders: who gets a number, and the thread that writes them to a file.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::iterator::Handle;
use tracing::info;

use crate::worker::Worker;

/// What is known of the orders, and only under a lock.
#[derive(Default)]
pub struct Orders {
    book: Mutex<Book>,
    /// Whoever is taking an order holds a clone.
    pub inside: Arc<()>,
}

#[derive(Default)]
struct Book {
    /// The way to the writer. Without it no order gets a number any more.
    queue: Option<Sender<u64>>,
    /// The number that was given out last, and the one that was written last.
    accepted: u64,
    written: u64,
    /// The one whose line is being written.
    in_hand: Option<u64>,
    given_up: bool,
}

impl Orders {
    // ANCHOR: count
    /// Gives an order its number. `None` if the book is closed, or nobody writes.
    pub fn accept(&self) -> Option<u64> {
        let mut book = self.book();
        let order = book.accepted + 1;
        book.queue.as_ref()?.send(order).ok()?;
        book.accepted = order;
        Some(order)
    }

    /// Closes, lets the writer begin no other order, and then counts what is left.
    pub fn give_up(&self) -> Vec<String> {
        let mut book = self.book();
        book.queue = None;
        book.given_up = true;
        let left = (book.written + 1)..=book.accepted;
        left.map(|order| match book.in_hand {
            Some(in_hand) if in_hand == order => {
                format!("order {order} is accepted and perhaps written")
            }
            _ => format!("order {order} is accepted and not written"),
        })
        .collect()
    }
    // ANCHOR_END: count

    /// The writer ends when what was accepted before is written.
    pub fn close(&self) {
        self.book().queue = None;
    }
    /// How many orders are being taken.
    pub fn inside(&self) -> usize {
        Arc::strong_count(&self.inside) - 1
    }

    fn take_in_hand(&self, order: u64) -> bool {
        let mut book = self.book();
        book.in_hand = Some(order).filter(|_| !book.given_up);
        book.in_hand.is_some()
    }

    fn put_down(&self, order: u64, is_written: bool) {
        let mut book = self.book();
        book.in_hand = None;
        if is_written {
            book.written = order;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the file for this service alone, and leaves what stands in it.
pub fn open_alone(path: &Path) -> Result<File, String> {
    let cannot_write =
        |why: &dyn Display| format!("cannot write {}: {why}", path.display());
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| cannot_write(&error))?;
    match file.try_lock() {
        // `/dev/full` and the like are nobody's alone.
        Err(TryLockError::WouldBlock) if is_regular(&file) => {
            Err(cannot_write(&"another service is writing to it"))
        }
        _ => Ok(file),
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|about| about.is_file())
}

pub fn start(
    file: File,
    path: PathBuf,
    bell: Handle,
) -> Result<(Arc<Orders>, Worker), String> {
    let (queue, accepted) = mpsc::channel();
    let orders = Arc::new(Orders::default());
    orders.book().queue = Some(queue);
    let of_writer = Arc::clone(&orders);
    let writer = Worker::spawn("writer", bell, move || {
        let written = write_orders(&of_writer, &accepted, file);
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))
    })?;
    Ok((orders, writer))
}

// ANCHOR: writer
/// Ends when the book is closed and the queue is empty.
fn write_orders(
    orders: &Orders,
    accepted: &Receiver<u64>,
    mut file: File,
) -> io::Result<()> {
    // Not earlier: a start that is refused leaves it as it is.
    if is_regular(&file) {
        file.set_len(0)?;
    }
    for order in accepted {
        reserve_stock();
        if !orders.take_in_hand(order) {
            break;
        }
        let written = file.write_all(format!("order {order}\n").as_bytes());
        orders.put_down(order, written.is_ok());
        written?;
        info!("order {order} is written");
    }
    Ok(())
}
// ANCHOR_END: writer

/// Asks the warehouse, which takes a second.
fn reserve_stock() {
    thread::sleep(Duration::from_secs(1));
}
