//! Solution: both threads are joined before any error may leave the function.

use std::fs::File;
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match write_reports() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the reports are not complete: {error}");
            ExitCode::FAILURE
        }
    }
}

/// If a report fails, so does the program. The other one is to be complete anyway.
fn write_reports() -> io::Result<()> {
    info!("writing two reports");
    let orders = spawn("orders", write_orders)?;
    let invoices = spawn("invoices", write_invoices)?;

    // ANCHOR: solution
    // Wait for both first: a `?` between the joins would cut the other report off.
    let (orders, invoices) = (join(orders), join(invoices));
    orders?;
    invoices?;
    // ANCHOR_END: solution
    info!("both reports are complete");
    Ok(())
}

/// The second order has no customer, so this report ends with an error after 2 s.
fn write_orders() -> io::Result<()> {
    let mut report = File::create("orders.txt")?;
    for order in 1..=3 {
        thread::sleep(Duration::from_secs(1));
        if order == 2 {
            return Err(io::Error::other("order 2 has no customer"));
        }
        report.write_all(format!("order {order}\n").as_bytes())?;
        info!("order {order} is in orders.txt");
    }
    Ok(())
}

fn write_invoices() -> io::Result<()> {
    let mut report = File::create("invoices.txt")?;
    for invoice in 1..=3 {
        thread::sleep(Duration::from_millis(1500));
        report.write_all(format!("invoice {invoice}\n").as_bytes())?;
        info!("invoice {invoice} is in invoices.txt");
    }
    Ok(())
}

fn spawn(
    name: &str,
    work: fn() -> io::Result<()>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Waits for a thread and gives its result; if it panicked, the panic goes on here.
fn join(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
