//! A writer that formats straight into the file: it is cut off within a record.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

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
    info!("my own work takes 2.5 s");
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_records(output))?;

    thread::sleep(Duration::from_millis(2500));
    info!("my own work is done");
    Ok(())
}

// ANCHOR: torn
fn write_records(mut output: File) -> io::Result<()> {
    for page in (1..=100).map(Page) {
        // Several writes: `record `, the number, `: `, the page, the line feed.
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
