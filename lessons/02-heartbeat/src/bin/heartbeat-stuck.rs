//! `main` and a worker wait for each other, and the heartbeat beats on.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io, process};

use tracing::info;

/// What `main` is owed, and what of it is done: each order, and the report that it waits for.
static OWED: AtomicU32 = AtomicU32::new(0);
static DONE: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    match run(env::args_os().nth(1).is_some_and(|way| way == "watchdog")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format_args!("cannot start a thread: {why}"))
        }
    }
}

// ANCHOR: run
fn run(is_watched: bool) -> io::Result<()> {
    let (orders, inbox) = mpsc::channel();
    let (report, total) = mpsc::channel();
    let worker = spawn("worker", move || {
        for order in inbox {
            thread::sleep(Duration::from_millis(200));
            info!("order {order} is done");
            DONE.fetch_add(1, Relaxed);
        }
        let _ = report.send(DONE.load(Relaxed));
    })?;
    spawn("heartbeat", move || beat(&worker))?;
    if is_watched {
        spawn("watchdog", watch)?;
    }

    // No order comes for two seconds: that is not to be stuck.
    thread::sleep(Duration::from_millis(2200));
    for order in 1..=3 {
        OWED.fetch_add(1, Relaxed);
        let _ = orders.send(order);
    }
    // The mistake: `orders` is still open. The worker waits for one more, and `main` for its report.
    OWED.fetch_add(1, Relaxed);
    let total = total.recv();
    DONE.fetch_add(1, Relaxed);
    info!("the day is closed: {total:?}");
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: life
/// Beats for ever; the worker has not finished.
fn beat(worker: &JoinHandle<()>) {
    let start = Instant::now();
    for beat in 1.. {
        info!("beat {beat}, worker.is_finished() is {}", worker.is_finished());
        let next = start + beat * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
// ANCHOR_END: life

// ANCHOR: progress
/// Ends the process if something is owed, and 15 looks in a row, 0.1 s apart, see nothing done.
/// It writes nothing and takes no lock: what the others are stuck at is not to hold it.
fn watch() {
    let (mut last, mut looks) = (DONE.load(Relaxed), 0);
    loop {
        thread::sleep(Duration::from_millis(100));
        let done = DONE.load(Relaxed);
        if done != last || done == OWED.load(Relaxed) {
            (last, looks) = (done, 0);
            continue;
        }
        // Looks are counted and not seconds: those pass while the process is stopped, too.
        looks += 1;
        if looks == 15 {
            process::abort();
        }
    }
}
// ANCHOR_END: progress

fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}
