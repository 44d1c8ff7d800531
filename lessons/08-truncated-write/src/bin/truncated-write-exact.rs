//! The writer asks before each record and acknowledges it: what is lost is exact.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{env, mem, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "output.txt".into());
    match run(path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(path: &Path) -> Result<(), String> {
    let cannot =
        |why: &dyn Display| format!("cannot write {}: {why}", path.display());
    let output = open_alone(path).map_err(|why| cannot(&why))?;
    let (records, queue) = mpsc::channel();
    let (permits, permitted) = mpsc::channel();
    let (acks, acknowledged) = mpsc::channel();
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, &permitted, output, &acks))
        .map_err(|why| format!("cannot start the thread writer: {why}"))?;

    // ANCHOR: main
    for page in 1..=100 {
        let record = format!("record {page:03}: text of page {page:03}\n");
        records.send(record).map_err(|why| cannot(&why))?;
    }
    info!("100 records are handed over");
    for _ in 1..=50 {
        permits.send(()).map_err(|why| cannot(&why))?;
        acknowledged.recv().map_err(|why| cannot(&why))?;
    }
    info!("50 records are acknowledged");
    // Dropped at the return, it would wake the writer, and the two would race.
    #[expect(clippy::mem_forget, reason = "it is to live until the process ends")]
    mem::forget(permits);
    // ANCHOR_END: main
    Ok(())
}

fn write_records(
    queue: &Receiver<String>,
    permitted: &Receiver<()>,
    mut output: File,
    acks: &Sender<()>,
) -> io::Result<()> {
    empty(&output)?;
    for record in queue {
        // Without a permit, because its sender is gone, the writer writes the rest.
        let _ = permitted.recv();
        output.write_all(record.as_bytes())?;
        let _ = acks.send(());
    }
    Ok(())
}

/// Opens the file for this run alone: two runs would mix their records.
fn open_alone(path: &Path) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if let (true, Err(TryLockError::WouldBlock)) =
        (file.metadata()?.is_file(), file.try_lock())
    {
        return Err(io::Error::other("another run is writing to it"));
    }
    Ok(file)
}

/// Empties an old file. Devices have no length.
fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}
