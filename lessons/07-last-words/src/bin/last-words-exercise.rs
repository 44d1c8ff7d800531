//! Exercise: an import stops at a bad row, and its log is to say which row and why.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p last-words --bin last-words-exercise -- 7 100
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
    match run(number(1, 7)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!("cannot write import.log: {why}")),
    }
}

/// An argument, or what it is if it is missing or no number.
fn number(place: usize, otherwise: u16) -> u16 {
    let argument = env::args_os().nth(place);
    let number = argument.and_then(|text| text.to_str()?.parse().ok());
    number.unwrap_or(otherwise)
}

fn run(bad_row: u16) -> io::Result<()> {
    init_logging()?;
    let _ = writeln!(io::stdout(), "importing 8 rows; the log is import.log");
    import(bad_row);
    Ok(())
}

/// Imports eight rows; a row without a customer ends the program with code 2.
#[expect(clippy::exit, reason = "nothing is left to do after a bad row")]
fn import(bad_row: u16) {
    let start = Instant::now();
    for row in 1..=8 {
        if row == bad_row {
            error!("row {row} has no customer; the import stops");
            let took = start.elapsed().as_secs_f64();
            let _ = writeln!(io::stdout(), "the import stops after {took:.1} s");
            process::exit(2);
        }
        info!("row {row} is imported");
    }
    info!("the import is complete");
}

/// Sends the log to `import.log`, and does not make the import wait for the disk.
fn init_logging() -> io::Result<()> {
    let disk = SlowDisk::open("import.log")?;
    let (log, _guard) = non_blocking(disk);
    tracing_subscriber::fmt()
        .with_writer(log)
        .with_target(false)
        .without_time()
        .init();
    Ok(())
}

/// A disk that wakes up first and takes a while for each line. You need not change it.
struct SlowDisk {
    file: File,
    start: Instant,
    lines: u32,
}

impl SlowDisk {
    fn open(path: &str) -> io::Result<Self> {
        let file =
            File::options().write(true).create(true).truncate(false).open(path)?;
        Ok(Self { file, start: Instant::now(), lines: 0 })
    }
}

impl Write for SlowDisk {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines == 0 {
            // The old log is kept until there is a thread that writes the new one.
            self.file.set_len(0)?;
        }
        self.lines += 1;
        let line_time = Duration::from_millis(number(2, 100).into());
        let wake_up = Duration::from_millis(number(3, 0).into());
        let done = self.start + wake_up + self.lines * line_time;
        thread::sleep(done.saturating_duration_since(Instant::now()));
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
