//! Exercise: a ticket office closes, and some of its threads are waited for.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p service-roles --bin service-roles-exercise -- 2
//! Check it:    cargo test service-roles
//!              (this file alone: cargo test exercise::service-roles)
//! Start over:  git restore lessons/03-service-roles/src/bin/service-roles-exercise.rs

use std::fs::File;
use std::io::{self, Write};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> io::Result<()> {
    lesson_log::init();
    let count = env::args().nth(1).map_or(Ok(2), |count| count.parse());
    let count = count.map_err(io::Error::other)?;
    let path = env::args().nth(2).unwrap_or_else(|| "refunds.txt".to_owned());
    info!("the office closes; {count} refunds are due");
    // Refunds are quick, they will be through by then.
    spawn("refunds", move || pay_refunds(count, &path))?;
    // Draws pictures of seats, so that nobody has to wait for them tomorrow.
    let previews = spawn("previews", draw_previews)?;
    // Tells the display at the door that the office is closing.
    spawn("display", update_display)?;

    thread::sleep(Duration::from_millis(300));
    info!("the doors are locked");
    previews.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    Ok(())
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
