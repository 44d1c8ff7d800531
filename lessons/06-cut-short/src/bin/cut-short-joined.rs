//! The same export, and `main` joins it: it comes to its end, and so do its destructors.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

const LOCK: &str = "export.lock";

fn main() -> ExitCode {
    lesson_log::init();
    let path = env::args_os().nth(1).unwrap_or_else(|| "export.csv".into());
    match run(&PathBuf::from(path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(path: &Path) -> io::Result<()> {
    let lock = LockFile::create()?;
    // Can it be written? Only the thread empties it: without one, the old export stays.
    let can = File::options().append(true).create(true).open(path);
    can.map_err(|error| cannot_write(path, &error))?;
    let its_path = path.to_owned();
    info!("my own work takes 2.5 s");
    let export = thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || export(lock, &its_path))
        .map_err(|error| failed("cannot start the thread export", &error))?;

    thread::sleep(Duration::from_millis(2500));
    info!("my own work is done");
    // ANCHOR: change
    // The change: the handle is kept, and joined.
    match export.join() {
        Ok(exported) => exported.map_err(|error| cannot_write(path, &error)),
        Err(payload) => panic::resume_unwind(payload),
    }
    // ANCHOR_END: change
}

/// Writes four batches of 400 orders, one batch a second.
fn export(_lock: LockFile, path: &Path) -> io::Result<()> {
    let mut rows = BufWriter::new(File::create(path)?);
    let start = Instant::now();
    for batch in 1..=4 {
        let next = start + batch * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        for order in 400 * (batch - 1) + 1..=400 * batch {
            let euros = 10 + order % 90;
            writeln!(rows, "{},card,{euros}.90", 10_000 + order)?;
        }
        info!("{} of 1600 rows are written", 400 * batch);
    }
    rows.flush()?;
    info!("the export is complete");
    Ok(())
    // Here `rows` is dropped, and `_lock` after it.
}

/// The right to export. Who makes the file first has it, until the file is removed.
struct LockFile;

impl LockFile {
    fn create() -> io::Result<Self> {
        let mut file = match File::create_new(LOCK) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let owner = fs::read_to_string(LOCK).unwrap_or_default();
                let held = format!("{LOCK} is held by process {}", owner.trim());
                return Err(io::Error::other(held));
            }
            Err(error) => return Err(cannot_write(Path::new(LOCK), &error)),
        };
        let lock = Self;
        writeln!(file, "{}", process::id())?;
        Ok(lock)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        match fs::remove_file(LOCK) {
            Ok(()) => info!("{LOCK} is removed"),
            // Not `eprintln!`: a panic here, while another unwinds, would abort.
            Err(error) => {
                let _ = writeln!(io::stderr(), "cannot remove {LOCK}: {error}");
            }
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> io::Error {
    failed(&format!("cannot write {}", path.display()), error)
}

fn failed(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
