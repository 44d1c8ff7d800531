//! Exercise: an import stops at a bad row, and its log is to say which row and why.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p last-words --bin last-words-exercise -- 7
//! Check it:    cargo test last-words
//!              (this file alone: cargo test exercise::last-words)
//! Start over:  git restore lessons/07-last-words/src/bin/last-words-exercise.rs

use std::fs::File;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::{error, info};
use tracing_appender::non_blocking;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let bad_row = env::args().nth(1).map_or(Ok(7), |row| row.parse());
    let bad_row = bad_row.map_err(io::Error::other)?;
    init_logging()?;
    println!("importing 8 rows; the log is import.log");
    import(bad_row);
    Ok(())
}

/// Imports eight rows; a row without a customer ends the program with code 2.
#[expect(clippy::exit, reason = "nothing is left to do after a bad row")]
fn import(bad_row: u32) {
    for row in 1..=8 {
        if row == bad_row {
            error!("row {row} has no customer; the import stops");
            process::exit(2);
        }
        info!("row {row} is imported");
    }
    info!("the import is complete");
}

/// Sends the log to `import.log`, and does not make the import wait for the disk.
fn init_logging() -> io::Result<()> {
    let disk = SlowDisk::create("import.log")?;
    let (log, _guard) = non_blocking(disk);
    tracing_subscriber::fmt()
        .with_writer(log)
        .with_target(false)
        .without_time()
        .init();
    Ok(())
}

/// A disk that takes a tenth of a second for each line. You need not change it.
struct SlowDisk {
    file: File,
    start: Instant,
    lines: u32,
}

impl SlowDisk {
    fn create(path: &str) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, start: Instant::now(), lines: 0 })
    }
}

impl Write for SlowDisk {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines += 1;
        let done = self.start + self.lines * Duration::from_millis(100);
        thread::sleep(done.saturating_duration_since(Instant::now()));
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
