//! A C stream beside a `BufWriter`, in a detached thread that flushes neither.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_else(|| "return".into());
    if way != "return" && way != "abort" {
        let way = way.display();
        return lesson_log::failure(format!(
            "`{way}` is not a way to end: say return or abort"
        ));
    }
    if let Err(error) = fill_buffers() {
        return lesson_log::failure(format!("cannot write the rows: {error}"));
    }
    info!("and I {}", way.display());
    if way == "abort" {
        process::abort();
    }
    ExitCode::SUCCESS
}

// ANCHOR: program
/// Returns when a detached thread has ten rows in each of its buffers.
fn fill_buffers() -> io::Result<()> {
    let (filled, is_filled) = mpsc::channel();
    let writer = thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write_rows(&filled))?;
    match is_filled.recv() {
        Ok(()) => Ok(()),
        // It can only have failed: it has ended.
        Err(_) => match writer.join() {
            Ok(result) => result,
            Err(payload) => panic::resume_unwind(payload),
        },
    }
}

fn write_rows(filled: &Sender<()>) -> io::Result<()> {
    let mut buffer = BufWriter::new(File::create("bufwriter.txt")?);
    let mut stream = Stream::create(c"stream.txt")?;
    for row in 1..=10 {
        writeln!(buffer, "row {row}")?;
        stream.put(&CString::new(format!("row {row}\n"))?)?;
    }
    info!("ten rows are in each buffer");
    filled.send(()).map_err(io::Error::other)?;
    // No more rows for a minute.
    thread::sleep(Duration::from_secs(60));
    Ok(())
}
// ANCHOR_END: program

// ANCHOR: stream
/// A `FILE*` of C's standard library, as a C library keeps it open for its log.
struct Stream(*mut libc::FILE);

#[expect(unsafe_code, reason = "C's own buffer is the subject")]
impl Stream {
    fn create(path: &CStr) -> io::Result<Self> {
        // SAFETY: both arguments are C strings and outlive the call.
        let file = unsafe { libc::fopen(path.as_ptr(), c"w".as_ptr()) };
        if file.is_null() {
            Err(io::Error::last_os_error())
        } else {
            Ok(Self(file))
        }
    }

    fn put(&mut self, text: &CStr) -> io::Result<()> {
        // SAFETY: `text` is a C string, and the stream is open until `drop`.
        let result = unsafe { libc::fputs(text.as_ptr(), self.0) };
        if result == libc::EOF { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

#[expect(unsafe_code, reason = "C's own buffer is the subject")]
impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream is open, and nobody uses it after its only owner.
        unsafe { libc::fclose(self.0) };
    }
}
// ANCHOR_END: stream
