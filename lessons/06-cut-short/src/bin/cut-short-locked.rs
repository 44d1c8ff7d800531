//! The same detached export, under a lock that the kernel keeps.

use std::fs::{File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

const LOCK: &str = "export.lock";

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "export.csv".into());
    match run(&PathBuf::from(path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(path: &Path) -> io::Result<()> {
    let lock = lock_exports()?;
    // Can it be written? Only the thread empties it: without one, the old export stays.
    let can = File::options().append(true).create(true).open(path);
    can.map_err(|error| cannot_write(path, &error))?;
    let its_path = path.to_owned();
    info!("my own work takes 2.5 s");
    // The handle is dropped at once: the export is detached.
    thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || export(lock, &its_path))
        .map_err(|error| failed("cannot start the thread export", &error))?;

    thread::sleep(Duration::from_millis(2500));
    info!("my own work is done");
    Ok(())
}

/// Writes four batches of 400 orders, one batch a second.
fn export(_lock: File, path: &Path) -> io::Result<()> {
    let mut rows = BufWriter::new(File::create(path)?);
    let start = Instant::now();
    for batch in 1..=4 {
        let next = start + batch * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        for order in 400 * (batch - 1) + 1..=400 * batch {
            let euros = 10 + order % 90;
            writeln!(rows, "{},card,{euros}.90", 10_000 + order)?;
        }
        info!("{} of 1600 rows are written", 400 * batch);
    }
    rows.flush()?;
    info!("the export is complete");
    Ok(())
    // Here `rows` is dropped, and `_lock` after it.
}

// ANCHOR: lock
/// The right to export: held for as long as the file that this returns is open.
fn lock_exports() -> io::Result<File> {
    // The file itself says nothing. It may be left over, and nobody removes it.
    let lock = File::options().create(true).truncate(false).write(true).open(LOCK);
    let lock = lock.map_err(|error| cannot_write(Path::new(LOCK), &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::other(format!("{LOCK} is locked: an export is at work")))
        }
        Err(TryLockError::Error(error)) => {
            Err(failed(&format!("cannot lock {LOCK}"), &error))
        }
    }
}
// ANCHOR_END: lock

fn cannot_write(path: &Path, error: &io::Error) -> io::Error {
    failed(&format!("cannot write {}", path.display()), error)
}

fn failed(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
