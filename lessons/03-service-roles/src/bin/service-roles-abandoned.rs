//! The same service, and its migration is abandoned as the probe is.

use std::env;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut paths = env::args_os().skip(1).map(PathBuf::from);
    let migration = paths.next().unwrap_or_else(|| "migration.log".into());
    let access = paths.next().unwrap_or_else(|| "access.log".into());
    match serve(&migration, &access) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn serve(migration_path: &Path, access_path: &Path) -> Result<(), String> {
    // Abandoned: nobody misses a sample, it is Rust alone, and the end needs nothing of it.
    // So it may be missing from the start: no `?` here.
    if let Err(why) = spawn("probe", take_samples) {
        info!("{why}");
    }
    let migration_log =
        create(migration_path).map_err(cannot_write(migration_path))?;
    let access_log = create(access_path).map_err(cannot_write(access_path))?;
    info!("the API is open for 2 s");
    // ANCHOR: change
    // The change: the migration's handle is dropped, like the probe's.
    spawn("migration", move || migrate_tables(migration_log))?;

    answer_requests(access_log).map_err(cannot_write(access_path))
    // ANCHOR_END: change
}

/// The work of `main`: four requests in two seconds, a line in the log for each. Has an end.
fn answer_requests(mut log: File) -> io::Result<()> {
    let start = Instant::now();
    for request in 1..=4 {
        sleep_until(start + request * Duration::from_millis(500) - QUARTER);
        log.write_all(format!("request {request}\n").as_bytes())?;
        info!("request {request} is answered");
    }
    sleep_until(start + Duration::from_secs(2));
    info!("the API is closed");
    Ok(())
}

/// Moves two tables, a second and a half each. Has an end.
fn migrate_tables(mut log: File) -> io::Result<()> {
    let start = Instant::now();
    for (table, number) in ["customers", "orders"].into_iter().zip(1..) {
        sleep_until(start + number * Duration::from_millis(1500));
        log.write_all(format!("{table} moved\n").as_bytes())?;
        info!("table {table} is moved");
    }
    Ok(())
}

/// Takes a sample every second, the first after half a second. Has no end.
fn take_samples() {
    let start = Instant::now();
    for sample in 1.. {
        sleep_until(start + sample * Duration::from_secs(1) - 2 * QUARTER);
        info!("sample {sample}");
    }
}

const QUARTER: Duration = Duration::from_millis(250);

/// Empties a log, unless another process is writing it. A device is for all.
fn create(path: &Path) -> io::Result<File> {
    let log =
        OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if log.metadata()?.is_file() {
        if matches!(log.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::Error::other("another process is writing it"));
        }
        log.set_len(0)?;
    }
    Ok(log)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot write {}: {error}", path.display())
}
