//! The same ten thousand lines, and a guard that is bound to nothing.

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use tracing::info;
use tracing_appender::non_blocking;

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "service.log".into());
    match run(path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot write {}: {why}", path.display()))
        }
    }
}

fn run(path: &Path) -> io::Result<()> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    // The change: `_` binds nothing, so the guard is dropped at the end of this line.
    // ANCHOR: change
    let (mut log, _) = non_blocking(BufWriter::new(file));
    // ANCHOR_END: change
    // An old file is emptied when there was a thread to fill it anew.
    File::create(path)?;
    info!("10000 lines for {}", path.display());
    for number in 1..=10_000 {
        log.write_all(format!("line {number:05}\n").as_bytes())?;
    }
    info!("10000 lines are logged");
    Ok(())
}
