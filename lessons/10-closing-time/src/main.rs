//! Two tills hand their sales to a ledger, which has to be complete when the shop closes.

mod channel;
mod flag;
// ANCHOR: sync
/// Where the two modules take their threads, locks and channels from.
mod sync {
    pub use std::sync::{Arc, Mutex, PoisonError, atomic, mpsc};
    pub use std::thread;

    /// Something has happened; one of these happens a hundred times a second.
    pub fn step(what: &str) {
        if what != "the queue is empty" {
            tracing::info!("{what}");
        }
    }
}
// ANCHOR_END: sync

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args().skip(1);
    let way = args.next().unwrap_or_else(|| "flag".to_owned());
    let path = args.next().unwrap_or_else(|| "ledger.txt".to_owned());
    if !["flag", "tills-first", "channel"].contains(&way.as_str()) {
        eprintln!("unknown way {way}: flag, tills-first or channel");
        return ExitCode::FAILURE;
    }
    if let Err(error) = run(&way, path.clone()) {
        eprintln!("cannot write {path}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

// ANCHOR: run
fn run(way: &str, path: String) -> io::Result<()> {
    let mut file = File::create(&path)?;
    info!("the shop is open for 2 s");
    let opening = Instant::now();
    let tills = vec![
        customers(opening, 1, [500, 1500]),
        customers(opening, 2, [1000, 3000]),
    ];
    let write = move |sale: &str| {
        file.write_all(format!("{sale}\n").as_bytes())?;
        info!("{sale} is in {path}");
        Ok(())
    };
    let wait_for_closing_time = || {
        sleep_until(opening + Duration::from_secs(2));
        info!("closing time: nobody may come in");
    };
    match way {
        "channel" => channel::trade(tills, write, wait_for_closing_time),
        "tills-first" => flag::trade(tills, write, wait_for_closing_time, true),
        _ => flag::trade(tills, write, wait_for_closing_time, false),
    }?;
    info!("everybody has gone home");
    Ok(())
}
// ANCHOR_END: run

/// The sales of a till: each customer pays so many milliseconds after the opening.
fn customers(
    opening: Instant,
    till: u32,
    pay_at: [u64; 2],
) -> impl Iterator<Item = String> {
    pay_at.into_iter().zip(1..).map(move |(pay_at, customer)| {
        sleep_until(opening + Duration::from_millis(pay_at));
        info!("customer {customer} has paid");
        format!("till {till}: sale {customer}")
    })
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
