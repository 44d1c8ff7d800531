//! The same ten thousand lines, and a guard that is bound to nothing.

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use tracing::info;
use tracing_appender::non_blocking;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args().nth(1).unwrap_or_else(|| "service.log".to_owned());
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> io::Result<()> {
    let file = File::create(path)?;
    // The change: `_` binds nothing, so the guard is dropped at the end of this line.
    // ANCHOR: change
    let (mut log, _) = non_blocking(BufWriter::new(file));
    // ANCHOR_END: change
    info!("10000 lines for {path}");
    for number in 1..=10_000 {
        log.write_all(format!("line {number:05}\n").as_bytes())?;
    }
    info!("10000 lines are logged");
    Ok(())
}
