//! A writer that formats straight into the file: it is cut off within a record.

use std::fmt::{self, Display, Formatter};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

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
    let output = open_alone(path)
        .map_err(|why| format!("cannot write {}: {why}", path.display()))?;
    info!("my own work takes 2.5 s");
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(output))
        .map_err(|why| format!("cannot start the thread writer: {why}"))?;

    thread::sleep(Duration::from_millis(2500));
    info!("my own work is done");
    Ok(())
}

// ANCHOR: torn
fn write_records(mut output: File) -> io::Result<()> {
    empty(&output)?;
    for page in (1..=100).map(Page) {
        // Ten writes: `record `, `0`, `0`, `1`, `: `, four for the page, the line feed.
        writeln!(output, "record {:03}: {page}", page.0)?;
        info!("record {} is written", page.0);
    }
    Ok(())
}

struct Page(u32);

impl Display for Page {
    /// Turns the page into text, which takes a second.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        thread::sleep(Duration::from_secs(1));
        write!(f, "text of page {:03}", self.0)
    }
}
// ANCHOR_END: torn

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
