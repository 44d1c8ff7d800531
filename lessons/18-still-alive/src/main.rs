//! A program that will not exit, and a watchdog that says who holds it.

mod kernel;
mod registry;

use std::env;
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

type Done = Result<(), String>;

fn main() -> ExitCode {
    lesson_log::init();
    let word = env::args_os().nth(1).unwrap_or_else(|| "never".into());
    let answers_after = match word.to_str() {
        Some("never") => Some(Duration::MAX),
        word => word.and_then(|word| word.parse().ok()).map(Duration::from_secs),
    };
    let Some(answers_after) = answers_after else {
        let usage = "when does the bank answer? never, or in N whole seconds";
        return lesson_log::failure(usage);
    };
    run(answers_after).unwrap_or_else(lesson_log::failure)
}

// ANCHOR: run
fn run(answers_after: Duration) -> Result<ExitCode, String> {
    info!("I am process {}", process::id());
    start_watchdog(Duration::from_millis(2500))?;
    let bank = ask_the_bank(answers_after)?;
    let workers = [
        registry::spawn("import-orders", || work_for(500)),
        registry::spawn("rebuild-index", || work_for(1000)),
        registry::spawn("settlement-with-the-bank", move || settle(&bank)),
    ];
    info!("I wait for {} threads", workers.iter().flatten().count());
    let ends = workers.map(join);
    info!("nobody is left to wait for");
    Ok(if ends.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Asks once, after the deadline, and leaves the program as it is.
fn start_watchdog(deadline: Duration) -> Result<(), String> {
    // Not in the registry: nobody waits for it.
    start("watchdog", move || {
        thread::sleep(deadline);
        info!("still awaited: {}", registry::alive().join(", "));
        match kernel::names() {
            Ok(names) => info!("the kernel's threads: {}", names.join(", ")),
            Err(error) => info!("the kernel does not say: {error}"),
        }
    })
}
// ANCHOR_END: run

/// A thread of the bank's client library: it is in no registry of ours.
fn ask_the_bank(answers_after: Duration) -> Result<Receiver<()>, String> {
    let (answer, answers) = mpsc::channel();
    start("bank-client", move || {
        thread::sleep(answers_after);
        // A settlement that has ended needs no answer.
        let _ = answer.send(());
    })?;
    Ok(answers)
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread
        .map(drop)
        .map_err(|error| format!("cannot start the thread {name}: {error}"))
}

fn settle(bank: &Receiver<()>) -> Done {
    bank.recv().map_err(|_| "the bank's client has ended without an answer")?;
    info!("the bank has answered");
    Ok(())
}

fn work_for(millis: u64) -> Done {
    thread::sleep(Duration::from_millis(millis));
    info!("done");
    Ok(())
}

/// Says what has failed; the next one is joined all the same.
fn join(worker: Result<JoinHandle<Done>, String>) -> bool {
    let panicked = |_| Err("a thread has panicked".to_owned());
    let end = worker.and_then(|worker| worker.join().unwrap_or_else(panicked));
    end.map_err(lesson_log::failure).is_ok()
}
