//! Solution: every sender is dropped before the thread that receives is joined.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let shelves = env::args_os().nth(1).unwrap_or_else(|| "2".into());
    let shelves = match shelves.to_str().map(str::parse) {
        Some(Ok(number @ 1..=20)) => number,
        _ => return lesson_log::failure("the number of shelves is 1 to 20"),
    };
    match take_stock(shelves) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// One scanner for each shelf, and one thread that writes what they find.
fn take_stock(shelves: u32) -> Result<(), String> {
    info!("taking stock of {shelves} shelves");
    let (lines, found) = mpsc::channel();
    let stock = thread::Builder::new()
        .name("stock".to_owned())
        .spawn(move || write_stock(&found))
        .map_err(|error| format!("cannot start the thread stock: {error}"))?;

    let scanners: Vec<_> = (1..=shelves)
        .map(|shelf| Scanner { shelf, lines: lines.clone() })
        .collect();
    let scanned = thread::scope(|scope| {
        for scanner in &scanners {
            let name = format!("scanner-{}", scanner.shelf);
            thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || scanner.scan())
                .map_err(|error| format!("cannot start a scanner: {error}"))?;
        }
        Ok(())
    });
    info!("the scanners have ended");
    // ANCHOR: solution
    // Each scanner has a sender of its own, and the first one is still here.
    drop(scanners);
    drop(lines);
    // ANCHOR_END: solution
    match stock.join() {
        Ok(Ok(())) => info!("what was found is in stock.txt"),
        Ok(Err(error)) => return Err(format!("cannot write stock.txt: {error}")),
        Err(payload) => panic::resume_unwind(payload),
    }
    scanned
}

struct Scanner {
    shelf: u32,
    lines: Sender<String>,
}

impl Scanner {
    /// Each shelf takes 0.2 s longer than the one before. From the fourth on, there is
    /// a ladder to climb, which is taller for the fourth and the fifth.
    fn scan(&self) {
        let ladder = Duration::from_millis(match self.shelf {
            ..4 => 0,
            4 | 5 => 2600,
            6.. => 2000,
        });
        let longer = self.shelf * Duration::from_millis(200);
        thread::sleep(Duration::from_secs(1) + longer + ladder);
        info!("scanned");
        if self.shelf == 3 {
            return; // It is empty: there is nothing to report.
        }
        // Where `stock` has failed there is nobody to tell; its join says why.
        let _ = self.lines.send(format!(
            "shelf {}: {} items\n",
            self.shelf,
            self.shelf * 7
        ));
    }
}

/// Takes 0.9 s for a line.
fn write_stock(found: &Receiver<String>) -> io::Result<()> {
    let mut file = create_alone("stock.txt")?;
    for line in found {
        thread::sleep(Duration::from_millis(900));
        file.write_all(line.as_bytes())?;
        info!("{} are in stock.txt", line.trim_end());
    }
    Ok(())
}

/// Starts the file anew, for this run alone: two runs would mix their lines.
fn create_alone(path: &str) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.is_file() {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another run is writing to it"));
        }
        file.set_len(0)?;
    }
    Ok(file)
}
