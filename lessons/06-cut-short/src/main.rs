//! An export in a detached thread: what it would do at its end is never done.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

const LOCK: &str = "export.lock";

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "export.csv".to_owned());
    match run(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
fn run(path: String) -> io::Result<()> {
    let lock = LockFile::create()?;
    let file = File::create(&path).map_err(|error| cannot_write(&path, &error))?;
    info!("my own work takes 2.5 s");
    // The handle is dropped at once: the export is detached.
    thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || export(lock, file))?;

    thread::sleep(Duration::from_millis(2500));
    info!("my own work is done");
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: export
/// Writes four batches of 500 orders, one batch a second.
fn export(_lock: LockFile, file: File) -> io::Result<()> {
    let mut rows = BufWriter::new(file);
    let start = Instant::now();
    for batch in 1..=4 {
        let next = start + batch * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        for order in 500 * (batch - 1) + 1..=500 * batch {
            let euros = 10 + order % 90;
            writeln!(rows, "{},{euros}.90", 10_000 + order)?;
        }
        info!("{} of 2000 rows are written", 500 * batch);
    }
    rows.flush()?;
    info!("the export is complete");
    Ok(())
    // Here `rows` is dropped, and `_lock` after it.
}
// ANCHOR_END: export

// ANCHOR: lock
/// The right to export. Who makes the file first has it, until the file is removed.
struct LockFile;

impl LockFile {
    fn create() -> io::Result<Self> {
        let mut file = File::create_new(LOCK).map_err(|error| {
            match fs::read_to_string(LOCK) {
                Ok(owner) => io::Error::other(format!(
                    "{LOCK} is held by process {}",
                    owner.trim()
                )),
                Err(_) => cannot_write(LOCK, &error),
            }
        })?;
        let lock = Self;
        writeln!(file, "{}", process::id())?;
        Ok(lock)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        match fs::remove_file(LOCK) {
            Ok(()) => info!("{LOCK} is removed"),
            Err(error) => eprintln!("cannot remove {LOCK}: {error}"),
        }
    }
}
// ANCHOR_END: lock

fn cannot_write(path: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("cannot write {path}: {error}"))
}
