//! The same service, and its probe cannot be started: a `?` on it passes the join by.

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

fn serve(migration_path: &Path, access_path: &Path) -> Result<(), String> {
    let migration_log =
        create(migration_path).map_err(cannot_write(migration_path))?;
    let access_log = create(access_path).map_err(cannot_write(access_path))?;
    info!("the API is open for 2 s");
    // ANCHOR: change
    let migration = spawn("migration", move || migrate_tables(migration_log))?;
    // The change: the probe comes second, has a `?`, and asks for more memory than there is.
    let probe =
        thread::Builder::new().name("probe".to_owned()).stack_size(TOO_MUCH);
    probe.spawn(take_samples).map_err(cannot_start("probe"))?;
    // ANCHOR_END: change

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

/// 2^60 bytes: no process may address so much.
const TOO_MUCH: usize = 1 << 60;

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
    thread.map_err(cannot_start(name))
}

fn cannot_start(name: &str) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot start the thread {name}: {error}")
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot write {}: {error}", path.display())
}
