//! A service with three roles: `main` answers requests, a migration is joined, and a
//! probe is not.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

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

// ANCHOR: serve
fn serve(migration_path: &Path, access_path: &Path) -> Result<(), String> {
    // Abandoned: nobody misses a sample, it is Rust alone, and the end needs nothing of it.
    // So it may be missing from the start: no `?` here.
    if let Err(why) = spawn("probe", take_samples) {
        info!("{why}");
    }
    let migration_log =
        open_alone(migration_path).map_err(cannot_write(migration_path))?;
    let access_log = open_alone(access_path).map_err(cannot_write(access_path))?;
    info!("the API is open for 2 s");
    // Joined: the next start must not find a table half-moved. Two tables are its bound.
    let migration = spawn("migration", move || migrate_tables(migration_log))?;

    // No `?` from here to the join: however the API fares, the migration is to finish.
    let answered = answer_requests(access_log).map_err(cannot_write(access_path));
    let migrated = match migration.join() {
        Ok(migrated) => migrated.map_err(cannot_write(migration_path)),
        Err(payload) => {
            // The panic leaves this function, so what the API has to say is told first.
            if let Err(why) = answered {
                lesson_log::failure(why);
            }
            panic::resume_unwind(payload)
        }
    };
    match (migrated, answered) {
        (Err(migration), Err(api)) => Err(format!("{migration}\n{api}")),
        (migrated, answered) => migrated.and(answered),
    }
}
// ANCHOR_END: serve

/// The work of `main`: four requests in two seconds, a line in the log for each. Has an end.
fn answer_requests(mut log: File) -> io::Result<()> {
    let start = Instant::now();
    empty(&log)?;
    for request in 1..=4 {
        sleep_until(start + request * Duration::from_millis(500) - QUARTER);
        log.write_all(format!("request {request}\n").as_bytes())?;
        info!("request {request} is answered");
    }
    sleep_until(start + Duration::from_secs(2));
    info!("the API is closed");
    Ok(())
}

// ANCHOR: roles
/// Moves two tables, a second and a half each. Has an end.
fn migrate_tables(mut log: File) -> io::Result<()> {
    let start = Instant::now();
    empty(&log)?;
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
// ANCHOR_END: roles

const QUARTER: Duration = Duration::from_millis(250);

/// Opens a log, unless another process is writing it. A device is for all.
fn open_alone(path: &Path) -> io::Result<File> {
    let log =
        OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if log.metadata()?.is_file()
        && matches!(log.try_lock(), Err(TryLockError::WouldBlock))
    {
        return Err(io::Error::other("another process is writing it"));
    }
    Ok(log)
}

/// Empties it when there is somebody to fill it: where no thread can be started, the old one stays.
fn empty(log: &File) -> io::Result<()> {
    if log.metadata()?.is_file() { log.set_len(0) } else { Ok(()) }
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
