//! Solution: both threads are joined before any error may leave the function.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let failing = env::args_os().nth(1).unwrap_or_else(|| "orders".into());
    match write_reports(failing.display().to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format_args!("the reports are not complete: {why}"))
        }
    }
}

/// If a report fails, so does the program. The other one is to be complete anyway.
fn write_reports(failing: String) -> io::Result<()> {
    info!("writing two reports; {failing} will fail");
    let fails = failing.clone();
    let orders = spawn("orders", move || {
        write_report("orders", Duration::from_millis(800), &fails)
    })?;
    let invoices = spawn("invoices", move || {
        write_report("invoices", Duration::from_millis(1100), &failing)
    })?;

    // ANCHOR: solution
    // Wait for both first: a `?` between the joins would cut the other off.
    let (orders, invoices) = (orders.join(), invoices.join());
    result_of(orders)?;
    result_of(invoices)?;
    // ANCHOR_END: solution
    info!("both reports are complete");
    Ok(())
}

/// Writes a report of four rows; the second row of the failing one is bad.
fn write_report(name: &str, step: Duration, failing: &str) -> io::Result<()> {
    let mut report = File::create(format!("{name}.txt"))?;
    for row in 1..=4 {
        thread::sleep(step);
        if row == 2 && name == failing {
            if name == "orders" {
                // A missing customer was thought of, a missing price was not.
                panic!("row 2 of orders has no price");
            }
            return Err(io::Error::other(format!(
                "row 2 of {name} has no customer"
            )));
        }
        report.write_all(format!("row {row}\n").as_bytes())?;
        info!("row {row} of 4 is in {name}.txt");
    }
    Ok(())
}

fn spawn(
    name: &'static str,
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|why| {
        io::Error::other(format!("cannot start the thread {name}: {why}"))
    })
}

/// What a joined thread returned. If it panicked, that is an error like any other.
fn result_of(joined: thread::Result<io::Result<()>>) -> io::Result<()> {
    joined.unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
}
