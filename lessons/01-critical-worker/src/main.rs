//! A worker whose work must be finished: `main` joins it before it returns.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "journal.txt".to_owned());
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
fn run(path: &str) -> io::Result<()> {
    let journal = File::create(path)?;
    let path = path.to_owned();
    info!("my own work takes 5 s");
    let critical = thread::Builder::new()
        .name("critical".to_owned())
        .spawn(move || write_journal(journal, &path))?;

    thread::sleep(Duration::from_secs(5));
    info!("my own work is done");
    // This line keeps the process alive. A panic of `critical` would go on here.
    critical.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
// ANCHOR_END: run

// ANCHOR: worker
/// Does five steps of two seconds; a step's line is written when the step is done.
fn write_journal(mut journal: File, path: &str) -> io::Result<()> {
    for step in 1..=5 {
        thread::sleep(Duration::from_secs(2));
        // One write a line: cut off, a line of this short file is whole or not there.
        journal.write_all(format!("step {step}\n").as_bytes())?;
        info!("step {step} of 5 is in {path}");
    }
    Ok(())
}
// ANCHOR_END: worker
