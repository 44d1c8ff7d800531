//! Solution: `main` keeps the guard, and every way out goes through the end of `main`.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::{error, info};
use tracing_appender::non_blocking;
use tracing_appender::non_blocking::WorkerGuard;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: solution
fn run() -> io::Result<ExitCode> {
    let bad_row = env::args().nth(1).map_or(Ok(7), |row| row.parse());
    let bad_row = bad_row.map_err(io::Error::other)?;
    // Dropped when `run` returns, on each of its ways out. It waits for the last line.
    let _guard = init_logging()?;
    println!("importing 8 rows; the log is import.log");
    if let Err(error) = import(bad_row) {
        error!("{error}; the import stops");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

/// Imports eight rows; a row without a customer is an error.
fn import(bad_row: u32) -> Result<(), String> {
    for row in 1..=8 {
        if row == bad_row {
            return Err(format!("row {row} has no customer"));
        }
        info!("row {row} is imported");
    }
    info!("the import is complete");
    Ok(())
}

/// Sends the log to `import.log`; whoever holds the guard holds the log's last lines.
fn init_logging() -> io::Result<WorkerGuard> {
    let disk = SlowDisk::create("import.log")?;
    let (log, guard) = non_blocking(disk);
    tracing_subscriber::fmt()
        .with_writer(log)
        .with_target(false)
        .without_time()
        .init();
    Ok(guard)
}
// ANCHOR_END: solution

/// A disk that takes a tenth of a second for each line.
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
