//! Solution: the pool belongs to a function, so that every way out of it drops the pool.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match make_thumbnails(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: solution
/// Each photo is its size in megabytes. One that cannot be read ends the upload; those
/// before it are to have their thumbnails anyway.
fn make_thumbnails(photos: impl Iterator<Item = String>) -> io::Result<()> {
    // A local variable, not a static: it is dropped at the end and at each `?`.
    let pool = Pool::new(2)?;
    info!("the upload begins");
    for (number, size) in (1..).zip(photos) {
        receive_photo();
        let size = size.parse().map_err(|_| {
            io::Error::other(format!("photo {number} cannot be read: {size}"))
        })?;
        pool.submit(move || make_thumbnail(number, size));
    }
    info!("the upload is complete");
    Ok(())
}
// ANCHOR_END: solution

/// Takes half a second.
fn receive_photo() {
    thread::sleep(Duration::from_millis(500));
}

/// Takes a second for ten megabytes.
fn make_thumbnail(number: u32, size: u32) {
    thread::sleep(size * Duration::from_millis(100));
    info!("photo {number} has its thumbnail");
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
            let worker = thread::Builder::new().name(format!("scaler-{number}"));
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
            // The panics of its jobs were caught in `work`; it has no other.
            let _ = worker.join();
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a job; the job runs without it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // The panic was reported on stderr; the worker goes on to the next job.
        let _ = panic::catch_unwind(AssertUnwindSafe(job));
    }
}
