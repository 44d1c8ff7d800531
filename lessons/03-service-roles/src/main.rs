//! A service with three roles: `main` answers requests, a migration is joined, and a
//! probe is not.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut paths = env::args().skip(1);
    let migration = paths.next().unwrap_or_else(|| "migration.log".to_owned());
    let access = paths.next().unwrap_or_else(|| "access.log".to_owned());
    match serve(&migration, &access) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: serve
fn serve(migration_path: &str, access_path: &str) -> io::Result<()> {
    let migration_log =
        File::create(migration_path).map_err(cannot_write(migration_path))?;
    let access_log =
        File::create(access_path).map_err(cannot_write(access_path))?;
    info!("the API is open for 2 s");
    // Joined: the next start must not find a table that was left half-moved.
    let migration = thread::Builder::new()
        .name("migration".to_owned())
        .spawn(move || migrate_tables(migration_log))?;
    // Detached on purpose: a sample that is not taken is missed by nobody.
    thread::Builder::new().name("probe".to_owned()).spawn(take_samples)?;

    let answered = answer_requests(access_log).map_err(cannot_write(access_path));
    // No `?` before this join: however the API fared, the migration is to finish.
    let migrated =
        migration.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    migrated.map_err(cannot_write(migration_path)).and(answered)
}
// ANCHOR_END: serve

// ANCHOR: roles
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
// ANCHOR_END: roles

const QUARTER: Duration = Duration::from_millis(250);

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

fn cannot_write(path: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::other(format!("cannot write {path}: {error}"))
}
