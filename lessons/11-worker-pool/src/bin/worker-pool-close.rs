//! A worker that is ended by `close`, which has an answer, or else by `drop`, which has none.

use std::env;
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match print_labels() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: main
fn print_labels() -> Result<(), String> {
    let printer = Printer::new()?;
    info!("three orders come in");
    for order in 1..=3 {
        printer.print(order);
    }
    check_the_paper()?;
    match printer.close() {
        Ok(labels) => info!("{labels} labels are printed"),
        Err(_panic) => info!("the printer has broken down"),
    }
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: printer
struct Printer {
    orders: Option<Sender<u32>>,
    thread: Option<JoinHandle<u32>>,
}

impl Printer {
    /// Ends the printer, and says how many labels it has printed.
    fn close(mut self) -> thread::Result<u32> {
        self.end().expect("nobody has ended it before")
        // `drop` is called here as well, and finds nothing left to end.
    }

    /// Takes what ends the thread out of `self`, which leaves `None` in it.
    fn end(&mut self) -> Option<thread::Result<u32>> {
        drop(self.orders.take());
        self.thread.take().map(JoinHandle::join)
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        if let Some(Err(_panic)) = self.end() {
            info!("the printer has broken down, and nobody asked");
        }
    }
}
// ANCHOR_END: printer

impl Printer {
    fn new() -> Result<Self, String> {
        let (orders, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("printer".to_owned());
        let thread = thread.spawn(move || queue.iter().map(print_label).sum());
        let thread =
            thread.map_err(|why| format!("cannot start printer: {why}"))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    fn print(&self, order: u32) {
        let orders = self.orders.as_ref().expect("only the end closes the queue");
        orders.send(order).expect("the printer does not leave an open queue");
    }
}

/// Takes half a second, and says how many labels it has printed.
fn print_label(order: u32) -> u32 {
    thread::sleep(Duration::from_millis(500));
    info!("label {order} is printed");
    1
}

/// With the argument `no-paper` there is none.
fn check_the_paper() -> Result<(), String> {
    if env::args_os().nth(1).is_some_and(|word| word == "no-paper") {
        return Err("there is no paper for the next order".to_owned());
    }
    Ok(())
}
