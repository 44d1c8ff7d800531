//! Solution: only the refunds are waited for, and their result is looked at.

use std::fs::File;
use std::io::{self, Write};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    let count = env::args().nth(1).map_or(Ok(2), |count| count.parse());
    let count = count.map_err(io::Error::other)?;
    let path = env::args().nth(2).unwrap_or_else(|| "refunds.txt".to_owned());
    info!("the office closes; {count} refunds are due");
    // ANCHOR: solution
    // Joined below: a refund that is not paid is somebody's money.
    let refunds = spawn("refunds", move || pay_refunds(count, &path))?;
    // Abandoned: a picture that is missing tomorrow is drawn then.
    spawn("previews", draw_previews)?;
    // Abandoned: has no end, and its next word would be the same.
    spawn("display", update_display)?;

    thread::sleep(Duration::from_millis(300));
    info!("the doors are locked");
    refunds.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    // ANCHOR_END: solution
}

/// Pays money back; a refund is in the file as soon as the bank has taken it.
fn pay_refunds(count: u32, path: &str) -> io::Result<()> {
    let mut paid = File::create(path)?;
    let start = Instant::now();
    for refund in 1..=count {
        sleep_until(start + refund * Duration::from_millis(750));
        paid.write_all(format!("refund {refund}\n").as_bytes())?;
        info!("refund {refund} is paid");
    }
    Ok(())
}

/// Keeps three pictures in memory. Whoever finds none there draws it then.
fn draw_previews() {
    let start = Instant::now();
    for seat in 1..=3 {
        sleep_until(start + seat * Duration::from_millis(1600));
        info!("seat {seat} is drawn");
    }
}

/// Says the same word again and again; the display forgets it otherwise.
fn update_display() {
    let start = Instant::now();
    for turn in 0.. {
        sleep_until(start + turn * Duration::from_millis(1500));
        info!("closing");
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
