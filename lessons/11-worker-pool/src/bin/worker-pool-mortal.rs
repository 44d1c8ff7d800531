//! The same pool, and a job that panics takes its worker with it.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io};

use tracing::info;

static PRINTED: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    match no_address().and_then(print_labels) {
        Ok(6) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => lesson_log::failure(why),
    }
}

/// Says how many of the six labels are printed.
fn print_labels(no_address: u32) -> Result<u32, String> {
    let pool =
        Pool::new(2).map_err(|why| format!("cannot start the printers: {why}"))?;
    info!("orders come in for 3 s");
    for order in incoming_orders() {
        pool.submit(move || print_label(order, no_address));
    }
    info!("the last order is in");
    // Waits for the jobs that run and for those that are still in the queue.
    drop(pool);
    let printed = PRINTED.load(Ordering::Relaxed);
    info!("{printed} of 6 labels are printed");
    Ok(printed)
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that share one queue of jobs.
struct Pool {
    queue: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    fn new(size: usize) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut pool = Self { queue: Some(queue), workers: Vec::new() };
        for number in 1..=size {
            let jobs = Arc::clone(&jobs);
            let worker = thread::Builder::new().name(format!("printer-{number}"));
            // If this one cannot start, dropping `pool` ends those before it.
            pool.workers.push(worker.spawn(move || work(&jobs))?);
        }
        Ok(pool)
    }

    fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let queue = self.queue.as_ref().expect("only `drop` closes the queue");
        queue.send(Box::new(job)).expect("no worker leaves an open queue");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Close first: a worker leaves when the queue is closed and empty.
        drop(self.queue.take());
        for worker in self.workers.drain(..) {
            // If a job panicked, its worker ended with it: that is an `Err` here.
            let _ = worker.join();
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a job; the job runs without it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // ANCHOR: change
        // The change: nothing stands between the job's panic and its worker.
        job();
        // ANCHOR_END: change
    }
}

/// Looks up an address for 1.5 s and prints the label.
fn print_label(order: u32, no_address: u32) {
    thread::sleep(Duration::from_millis(1500));
    if order == no_address {
        panic!("order {order} has no address");
    }
    info!("label {order} is printed");
    PRINTED.fetch_add(1, Ordering::Relaxed);
}

/// Six orders: after half a second, after a second, and so on.
fn incoming_orders() -> impl Iterator<Item = u32> {
    let start = Instant::now();
    (1..=6).inspect(move |&order| {
        let due = start + order * Duration::from_millis(500);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    })
}

/// The argument: an order that has no address, or 0.
fn no_address() -> Result<u32, String> {
    let Some(order) = env::args_os().nth(1) else { return Ok(0) };
    let number = order.to_str().and_then(|order| order.parse().ok());
    number.ok_or_else(|| format!("not the number of an order: {}", order.display()))
}
