//! A log in a static: who writes what is left in its buffer?

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::info;

// ANCHOR: program
static LOG: OnceLock<Mutex<BufWriter<File>>> = OnceLock::new();

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lesson_log::failure(format!("cannot write service.log: {error}"))
        }
    }
}

fn run() -> io::Result<()> {
    let file = File::create("service.log")?;
    let log = LOG.get_or_init(|| Mutex::new(BufWriter::new(file)));
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.write_all(b"the service has stopped\n")?;
    info!("the last line is in the log's buffer");
    if env::args_os().nth(1).is_some_and(|word| word == "flush") {
        log.flush()?;
    }
    Ok(())
}
// ANCHOR_END: program
