//! Two tills hand their sales to a ledger, which has to be complete when the shop closes.

mod channel;
mod flag;
mod step;
// ANCHOR: sync
/// Where the two modules take their threads, locks and channels from.
mod sync {
    pub use std::sync::{Arc, Mutex, PoisonError, atomic, mpsc};
    pub use std::thread;

    use crate::step::Step;

    /// Something has happened.
    pub fn step(what: Step) {
        // One of them happens a hundred times a second.
        if !matches!(what, Step::QueueIsEmpty) {
            tracing::info!("{what}");
        }
    }
}
// ANCHOR_END: sync

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use flag::{Ask, SetStop};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args_os().skip(1);
    let way = args.next().unwrap_or_else(|| "flag".into());
    let path = args.next().unwrap_or_else(|| "ledger.txt".into());
    match run(&way.to_string_lossy(), path.into()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: run
fn run(way: &str, path: PathBuf) -> Result<(), String> {
    let (ask, set_stop) = match way {
        "flag" => (Ask::QueueFirst, SetStop::AtClosingTime),
        "stop-first" => (Ask::StopFirst, SetStop::AtClosingTime),
        "tills-first" => (Ask::QueueFirst, SetStop::AfterTheTills),
        // The channel asks nothing.
        "repaired" | "channel" => (Ask::StopFirst, SetStop::AfterTheTills),
        _ => {
            let ways = "flag, stop-first, tills-first, repaired or channel";
            return Err(format!("unknown way {way}: {ways}"));
        }
    };
    let cannot_write =
        |path: &PathBuf, error| format!("cannot write {}: {error}", path.display());
    let mut file = open_alone(&path).map_err(|error| cannot_write(&path, error))?;
    // Its lock is to last as long as the run; the ledger may leave earlier.
    let _lock = file.try_clone().map_err(|error| cannot_write(&path, error))?;
    let mut is_new = false;
    info!("the shop is open for 2 s");
    let opening = Instant::now();
    let tills = vec![
        customers(opening, 1, [500, 1500]),
        customers(opening, 2, [1000, 3000]),
    ];
    let write = move |sale: &str| {
        // The first sale empties an old file: now there is a thread to fill it anew.
        let emptied = if is_new { Ok(()) } else { empty(&file) };
        is_new = true;
        emptied
            .and_then(|()| file.write_all(format!("{sale}\n").as_bytes()))
            .map_err(|error| cannot_write(&path, error))?;
        info!("{sale} is in {}", path.display());
        Ok(())
    };
    let wait_for_closing_time = || {
        sleep_until(opening + Duration::from_secs(2));
        info!("closing time: nobody may come in");
    };
    if way == "channel" {
        channel::trade(tills, write, wait_for_closing_time)?;
    } else {
        flag::trade(tills, write, wait_for_closing_time, ask, set_stop)?;
    }
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

/// Opens the file for this run alone: two runs would mix their sales.
fn open_alone(path: &PathBuf) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if let (true, Err(TryLockError::WouldBlock)) =
        (file.metadata()?.is_file(), file.try_lock())
    {
        return Err(io::Error::other("another run is writing to it"));
    }
    Ok(file)
}

/// Devices have no length.
fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
