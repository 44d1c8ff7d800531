//! A program that will not exit, and a watchdog that says who holds it.

mod kernel;
mod registry;

use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let answers_after = env::args().nth(1).unwrap_or_else(|| "never".to_owned());
    let answers_after = match (answers_after.as_str(), answers_after.parse()) {
        ("never", _) => Duration::MAX,
        (_, Ok(seconds)) => Duration::from_secs(seconds),
        _ => {
            eprintln!("when does the bank answer? never, or in N whole seconds");
            return Ok(ExitCode::FAILURE);
        }
    };
    run(answers_after)?;
    Ok(ExitCode::SUCCESS)
}

// ANCHOR: run
fn run(answers_after: Duration) -> io::Result<()> {
    info!("I am process {}", process::id());
    let bank = ask_the_bank(answers_after)?;
    let workers = [
        registry::spawn("import-orders", || work_for(500))?,
        registry::spawn("rebuild-index", || work_for(1000))?,
        registry::spawn("settlement-with-the-bank", move || settle(&bank))?,
    ];
    start_watchdog(Duration::from_millis(2500))?;
    info!("I wait for {} threads", workers.len());
    workers.into_iter().for_each(join);
    info!("nobody is left to wait for");
    Ok(())
}

/// Asks once, after the deadline, and leaves the program as it is.
fn start_watchdog(deadline: Duration) -> io::Result<()> {
    // Not in the registry: nobody waits for it.
    thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        thread::sleep(deadline);
        info!("still awaited: {}", registry::alive().join(", "));
        match kernel::names() {
            Ok(names) => info!("the kernel's threads: {}", names.join(", ")),
            Err(error) => info!("the kernel does not say: {error}"),
        }
    })?;
    Ok(())
}
// ANCHOR_END: run

/// A thread of the bank's client library: it is in no registry of ours.
fn ask_the_bank(answers_after: Duration) -> io::Result<Receiver<()>> {
    let (answer, answers) = mpsc::channel();
    thread::Builder::new().name("bank-client".to_owned()).spawn(move || {
        thread::sleep(answers_after);
        // A settlement that has ended needs no answer.
        let _ = answer.send(());
    })?;
    Ok(answers)
}

fn settle(bank: &Receiver<()>) {
    if bank.recv().is_ok() {
        info!("the bank has answered");
    }
}

fn work_for(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
    info!("done");
}

fn join(thread: JoinHandle<()>) {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
}
