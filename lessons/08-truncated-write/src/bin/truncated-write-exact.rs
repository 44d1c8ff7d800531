//! The writer asks before each record and acknowledges it: what is lost is exact.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{env, mem, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "output.txt".to_owned());
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> io::Result<()> {
    let output = File::create(path)?;
    let (records, queue) = mpsc::channel();
    let (permits, permitted) = mpsc::channel();
    let (acks, acknowledged) = mpsc::channel();
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(&queue, &permitted, output, &acks))?;

    // ANCHOR: main
    for page in 1..=100 {
        let record = format!("record {page:03}: text of page {page:03}\n");
        records.send(record).map_err(io::Error::other)?;
    }
    info!("100 records are handed over");
    for _ in 1..=50 {
        permits.send(()).map_err(io::Error::other)?;
        acknowledged.recv().map_err(io::Error::other)?;
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
    for record in queue {
        // Without a permit, because its sender is gone, the writer writes the rest.
        let _ = permitted.recv();
        output.write_all(record.as_bytes())?;
        let _ = acks.send(());
    }
    Ok(())
}
