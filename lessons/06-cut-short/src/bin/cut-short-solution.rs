//! Solution: `main` waits for the thread's end, not for its message.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args().skip(1);
    let tables = arguments.next().unwrap_or_else(|| "3".to_owned());
    let path = arguments.next().unwrap_or_else(|| "backup.csv".to_owned());
    let tables = tables.parse().map_err(io::Error::other);
    match tables.and_then(|tables| run(tables, path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the backup failed: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: solution
fn run(tables: u32, path: String) -> io::Result<()> {
    info!("the backup of {tables} tables starts");
    let backup = thread::Builder::new()
        .name("backup".to_owned())
        .spawn(move || back_up(tables, &path))?;

    // What the thread drops, it has dropped when `join` returns.
    backup.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("the backup of {tables} tables is complete");
    Ok(())
}

/// Copies the tables from a frozen volume, 0.3 s each.
fn back_up(tables: u32, path: &str) -> io::Result<()> {
    let mut backup = BufWriter::new(File::create(path)?);
    let _snapshot = Snapshot::take(tables)?;
    let start = Instant::now();
    for table in 1..=tables {
        sleep_until(start + table * Duration::from_millis(300));
        writeln!(backup, "table {table}")?;
        info!("table {table} is copied");
    }
    // An error of the last rows is an error of the backup; dropping would swallow it.
    backup.flush()
}
// ANCHOR_END: solution

/// The volume as it was when the backup began. It costs room until it is released.
struct Snapshot {
    tables: u32,
}

impl Snapshot {
    fn take(tables: u32) -> io::Result<Self> {
        File::create("backup.snapshot")?;
        Ok(Self { tables })
    }
}

impl Drop for Snapshot {
    /// Merges what was written to the volume meanwhile: 0.4 s for each table.
    fn drop(&mut self) {
        sleep_until(Instant::now() + self.tables * Duration::from_millis(400));
        match fs::remove_file("backup.snapshot") {
            Ok(()) => info!("the snapshot is released"),
            Err(error) => eprintln!("the snapshot stays: {error}"),
        }
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
