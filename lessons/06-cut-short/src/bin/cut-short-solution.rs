//! Solution: `main` waits for the thread's end, not for its message.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut complete = ExitCode::SUCCESS;
    let mut arguments: Vec<_> = env::args_os().skip(1).collect();
    if arguments.is_empty() {
        arguments.push("3".into());
    }
    // How many tables, and the file to write. A failure does not stop the next backup.
    for backup in arguments.chunks(2) {
        let tables = &backup[0];
        let path = backup.get(1).map_or("backup.csv".into(), PathBuf::from);
        let why = match tables.to_string_lossy().parse() {
            Err(error) => format!("{}: {error}", tables.display()),
            Ok(tables) => match panic::catch_unwind(|| run(tables, path)) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it panicked".to_owned(),
            },
        };
        complete = lesson_log::failure(format!("the backup failed: {why}"));
    }
    complete
}

// ANCHOR: solution
fn run(tables: usize, path: PathBuf) -> io::Result<()> {
    info!("the backup starts, tables: {tables}");
    let backup = thread::Builder::new()
        .name("backup".to_owned())
        .spawn(move || back_up(tables, &path))
        .map_err(|error| failed("cannot start the thread backup", &error))?;

    // What the thread drops, it has dropped when `join` returns.
    match backup.join() {
        Ok(result) => result?,
        Err(payload) => panic::resume_unwind(payload),
    }
    info!("the backup is complete, tables: {tables}");
    Ok(())
}

/// Copies the tables from a frozen volume, 0.3 s each.
fn back_up(tables: usize, path: &Path) -> io::Result<()> {
    let mut backup = BufWriter::new(File::create(path)?);
    let _snapshot = Snapshot::take(tables)?;
    let mut next = Instant::now();
    for table in 0..tables {
        next += Duration::from_millis(300);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let name = read(table);
        writeln!(backup, "{name}")?;
        info!("{name} is read");
    }
    // An error of the last rows is an error of the backup; dropping would swallow it.
    backup.flush()
}
// ANCHOR_END: solution

/// The tables, and for how long what is written to each meanwhile has to be merged, in ms.
const TABLES: [(&str, u64); 3] =
    [("orders", 700), ("customers", 550), ("invoices", 500)];

/// Panics if there is no such table.
fn read(table: usize) -> &'static str {
    TABLES[table].0
}

/// The volume as it was when the backup began. It costs room until it is released.
struct Snapshot {
    tables: usize,
}

impl Snapshot {
    fn take(tables: usize) -> io::Result<Self> {
        File::create("backup.snapshot")?;
        Ok(Self { tables })
    }
}

impl Drop for Snapshot {
    /// Merges what was written to the volume meanwhile, and lets the writers in again.
    fn drop(&mut self) {
        let merge = TABLES.iter().take(self.tables).map(|(_, ms)| ms).sum();
        thread::sleep(Duration::from_millis(merge));
        let removed = fs::remove_file("backup.snapshot");
        thread::sleep(Duration::from_millis(300));
        match removed {
            Ok(()) => info!("the snapshot is released"),
            // Not `eprintln!`: a panic here, while another unwinds, would abort.
            Err(error) => {
                let _ = writeln!(io::stderr(), "the snapshot stays: {error}");
            }
        }
    }
}

fn failed(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
