//! Exercise: scanners report to one thread that writes, and the thread is joined.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p safe-writer --bin safe-writer-exercise -- 2
//! Check it:    cargo test safe-writer
//!              (this file alone: cargo test exercise::safe-writer)
//! Start over:  git restore lessons/09-safe-writer/src/bin/safe-writer-exercise.rs

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let shelves = env::args().nth(1).unwrap_or_else(|| "2".to_owned());
    let Ok(shelves) = shelves.parse() else {
        eprintln!("the number of shelves is not a number: {shelves}");
        return ExitCode::FAILURE;
    };
    match take_stock(shelves) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot take stock: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One scanner for each shelf, and one thread that writes what they find.
fn take_stock(shelves: u32) -> io::Result<()> {
    let file = File::create("stock.txt")?;
    info!("taking stock of {shelves} shelves");
    let (lines, found) = mpsc::channel();
    let stock = thread::Builder::new()
        .name("stock".to_owned())
        .spawn(move || write_stock(&found, file))?;

    let scanners: Vec<_> = (1..=shelves)
        .map(|shelf| Scanner { shelf, lines: lines.clone() })
        .collect();
    thread::scope(|scope| {
        for scanner in &scanners {
            let name = format!("scanner-{}", scanner.shelf);
            thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || scanner.scan())?;
        }
        io::Result::Ok(())
    })?;
    info!("every shelf is scanned");
    // The channel closes, and `stock` writes what is still in it.
    drop(lines);
    stock.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("the stock is complete");
    Ok(())
}

struct Scanner {
    shelf: u32,
    lines: Sender<String>,
}

impl Scanner {
    /// Each shelf is longer than the one before: 0.5 s, 1 s, and so on.
    fn scan(&self) {
        thread::sleep(self.shelf * Duration::from_millis(500));
        info!("scanned");
        // Where `stock` has failed there is nobody to tell; its join says why.
        let _ = self.lines.send(format!(
            "shelf {}: {} items\n",
            self.shelf,
            self.shelf * 7
        ));
    }
}

/// Takes 0.9 s for a line.
fn write_stock(found: &Receiver<String>, mut file: File) -> io::Result<()> {
    for line in found {
        thread::sleep(Duration::from_millis(900));
        file.write_all(line.as_bytes())?;
        info!("{} are in stock.txt", line.trim_end());
    }
    Ok(())
}
