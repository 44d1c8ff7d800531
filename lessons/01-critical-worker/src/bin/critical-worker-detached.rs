//! The same worker, and nobody waits for it: `main` drops its handle.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path =
        env::args_os().nth(1).map_or_else(|| "journal.txt".into(), PathBuf::from);
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(path: &Path) -> Result<(), String> {
    let cannot_write = |why| format!("cannot write {}: {why}", path.display());
    let journal = open(path).map_err(cannot_write)?;
    info!("my own work takes 5 s");
    let of_critical = path.to_owned();
    let critical = thread::Builder::new()
        .name("critical".to_owned())
        .spawn(move || write_journal(journal, &of_critical))
        .map_err(|why| format!("cannot start the thread critical: {why}"))?;

    thread::sleep(Duration::from_secs(5));
    info!("my own work is done");
    // ANCHOR: change
    // The change: the handle is dropped, not joined. `critical` is detached.
    drop(critical);
    Ok(())
    // ANCHOR_END: change
}

/// Does five steps of two seconds; a step's line is written when the step is done.
fn write_journal(mut journal: File, path: &Path) -> io::Result<()> {
    begin_anew(&journal)?;
    for step in 1..=5 {
        thread::sleep(Duration::from_secs(2));
        // One write a line: cut off, a line of this short file is whole or not there.
        journal.write_all(format!("step {step}\n").as_bytes())?;
        info!("step {step} of 5 is in {}", path.display());
    }
    Ok(())
}

/// Opens the journal as it is, unless another process is writing it. A device is for all.
fn open(path: &Path) -> io::Result<File> {
    let journal =
        OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if is_a_file(&journal)?
        && matches!(journal.try_lock(), Err(TryLockError::WouldBlock))
    {
        return Err(io::Error::other("another process is writing it"));
    }
    Ok(journal)
}

/// Called by the worker: had it not started, an old journal would still be there.
fn begin_anew(journal: &File) -> io::Result<()> {
    if is_a_file(journal)? { journal.set_len(0) } else { Ok(()) }
}

fn is_a_file(journal: &File) -> io::Result<bool> {
    Ok(journal.metadata()?.is_file())
}
