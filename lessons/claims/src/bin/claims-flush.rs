//! Two files with a line each, one of them flushed, and a process that is killed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::Duration;

use tracing::info;

// ANCHOR: program
fn main() -> io::Result<()> {
    lesson_log::init();
    let mut flushed = BufWriter::new(File::create("flushed.txt")?);
    let mut unflushed = BufWriter::new(File::create("unflushed.txt")?);
    flushed.write_all(b"a line\n")?;
    flushed.flush()?;
    unflushed.write_all(b"a line\n")?;
    info!("both lines are written");
    // Somebody kills it; until then the buffer keeps its line.
    thread::sleep(Duration::from_secs(60));
    Ok(())
}
// ANCHOR_END: program
