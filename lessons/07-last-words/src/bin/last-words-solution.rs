//! Solution: `run` keeps the guard, and every way out goes through the end of `run`.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::{error, info};
use tracing_appender::non_blocking;
use tracing_appender::non_blocking::WorkerGuard;

fn main() -> ExitCode {
    match run(number(1, 7)) {
        Ok(code) => code,
        Err(why) => lesson_log::failure(format!("cannot write import.log: {why}")),
    }
}

/// An argument, or what it is if it is missing or no number.
fn number(place: usize, otherwise: u16) -> u16 {
    let argument = env::args_os().nth(place);
    let number = argument.and_then(|text| text.to_str()?.parse().ok());
    number.unwrap_or(otherwise)
}

// ANCHOR: solution
fn run(bad_row: u16) -> io::Result<ExitCode> {
    // Dropped when `run` returns, on each of its ways out. It waits for the last line,
    // for a second at most.
    let _guard = init_logging()?;
    let _ = writeln!(io::stdout(), "importing 8 rows; the log is import.log");
    if let Err(why) = import(bad_row) {
        error!("{why}; the import stops");
        // Not asked for: the line that must not get lost, with no thread in between.
        let _ = writeln!(io::stderr(), "{why}; the import stops");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

/// Imports eight rows; a row without a customer is an error.
fn import(bad_row: u16) -> Result<(), String> {
    let start = Instant::now();
    for row in 1..=8 {
        if row == bad_row {
            let took = start.elapsed().as_secs_f64();
            let _ = writeln!(io::stdout(), "the import stops after {took:.1} s");
            return Err(format!("row {row} has no customer"));
        }
        info!("row {row} is imported");
    }
    info!("the import is complete");
    Ok(())
}

/// Sends the log to `import.log`; whoever holds the guard holds the log's last lines.
fn init_logging() -> io::Result<WorkerGuard> {
    let disk = SlowDisk::open("import.log")?;
    let (log, guard) = non_blocking(disk);
    tracing_subscriber::fmt()
        .with_writer(log)
        .with_target(false)
        .without_time()
        .init();
    Ok(guard)
}
// ANCHOR_END: solution

/// A disk that wakes up first and takes a while for each line.
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
