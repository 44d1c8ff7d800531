//! Takes a job out of a queue behind a lock, in six ways. During the job: is the lock held?

#![expect(
    clippy::unwrap_used,
    clippy::never_loop,
    reason = "the statements are as short as they are usually seen, and each takes one job"
)]

use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, TryLockError};

use tracing::info;

fn main() {
    lesson_log::init();
    let (queue, jobs) = mpsc::channel();
    for number in 1..=6 {
        queue.send(number).expect("the receiver is still there");
    }
    take(&Mutex::new(jobs));
}

// ANCHOR: take
fn take(jobs: &Mutex<Receiver<u32>>) {
    let job = jobs.lock().unwrap().recv();
    during("let", job.unwrap(), jobs);

    let Ok(job) = jobs.lock().unwrap().recv() else { return };
    during("let else", job, jobs);

    while let Ok(job) = jobs.lock().unwrap().recv() {
        during("while let", job, jobs);
        break;
    }
    if let Ok(job) = jobs.lock().unwrap().recv() {
        during("if let", job, jobs);
    }
    match jobs.lock().unwrap().recv() {
        Ok(job) => during("match", job, jobs),
        Err(_closed) => {}
    }
    for job in jobs.lock().unwrap().iter() {
        during("for", job, jobs);
        break;
    }
}
// ANCHOR_END: take

fn during(way: &str, job: u32, jobs: &Mutex<Receiver<u32>>) {
    match jobs.try_lock() {
        Err(TryLockError::WouldBlock) => {
            info!("job {job}, {way}: the lock is held")
        }
        _ => info!("job {job}, {way}: the lock is free"),
    }
}
