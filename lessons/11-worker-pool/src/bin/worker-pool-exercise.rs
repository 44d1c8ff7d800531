//! Exercise: dropping this pool waits for its jobs, and thumbnails are missing all the same.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p worker-pool --bin worker-pool-exercise -- 2 2 0 10
//! Check it:    cargo test worker-pool
//!              (this file alone: cargo test exercise::worker-pool)
//! Start over:  git restore lessons/11-worker-pool/src/bin/worker-pool-exercise.rs

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

/// The pool of this program, as in the Python one that it was translated from. It waits
/// for its jobs when it is dropped.
static POOL: LazyLock<Pool> =
    LazyLock::new(|| Pool::new(2).expect("two threads can be started"));

static MADE: AtomicU32 = AtomicU32::new(0);

fn main() -> ExitCode {
    lesson_log::init();
    let upload = make_thumbnails(env::args_os().skip(1));
    let made = MADE.load(Ordering::Relaxed);
    info!("the gallery opens with {made} thumbnails");
    match upload {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// Each photo is its size in megabytes. One that cannot be read ends the upload; those
/// before it are to have their thumbnails anyway.
fn make_thumbnails(photos: impl Iterator<Item = OsString>) -> Result<(), String> {
    info!("the upload begins");
    for (number, photo) in (1..).zip(photos) {
        receive_photo();
        let size = size_of(&photo).ok_or_else(|| {
            format!("photo {number} cannot be read: {}", photo.display())
        })?;
        POOL.submit(move || make_thumbnail(number, size));
    }
    info!("the upload is complete");
    Ok(())
}

/// Takes half a second.
fn receive_photo() {
    thread::sleep(Duration::from_millis(500));
}

fn size_of(photo: &OsString) -> Option<u32> {
    photo.to_str()?.parse().ok()
}

/// Takes a second for ten megabytes. An empty photo has no thumbnail.
fn make_thumbnail(number: u32, size: u32) {
    assert!(size > 0, "photo {number} is empty");
    thread::sleep(size * Duration::from_millis(100));
    info!("photo {number} has its thumbnail");
    MADE.fetch_add(1, Ordering::Relaxed);
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
            // The panics of its jobs were caught in `work`.
            let _ = worker.join();
        }
    }
}
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a job; the job runs without it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // It is slow to begin, as on a busy machine.
        thread::sleep(Duration::from_millis(100));
        // The panic was reported on stderr; the worker goes on to the next job.
        let _ = panic::catch_unwind(AssertUnwindSafe(job));
    }
}
