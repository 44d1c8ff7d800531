//! Solution: the inbox ends when the last sender is dropped, and `main` drops its own.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let jammed = env::args().nth(1).unwrap_or_else(|| "back".to_owned());
    match scan_all(&jammed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the archive is not complete: {error}");
            ExitCode::FAILURE
        }
    }
}

fn scan_all(jammed: &str) -> io::Result<()> {
    info!("two scanners; the paper will jam in {jammed}");
    let start = Instant::now();
    let (pages, inbox) = mpsc::channel();
    let archive = spawn("archive", move || archive_pages(inbox))?;
    let mut scanners = Vec::new();
    for (name, first_page) in [("front", 500), ("back", 1000)] {
        let pages = pages.clone();
        let jam = if name == jammed { 2000 } else { 0 };
        let page_times = [first_page, first_page + 1000 + jam];
        scanners.push(spawn(name, move || scan(name, start, page_times, &pages))?);
    }

    // ANCHOR: close
    // Now only scanners can send: when the last of them has ended, the inbox is closed.
    drop(pages);
    scanners.into_iter().for_each(join);
    join(archive)?;
    // ANCHOR_END: close
    info!("all pages are scanned");
    Ok(())
}

/// Scans two pages, each ready so many milliseconds after the start.
fn scan(name: &str, start: Instant, page_times: [u64; 2], pages: &Sender<String>) {
    for (ready_at, page) in page_times.into_iter().zip(1..) {
        let ready = start + Duration::from_millis(ready_at);
        thread::sleep(ready.saturating_duration_since(Instant::now()));
        info!("page {page} is scanned");
        if let Err(SendError(page)) = pages.send(format!("{name} {page}")) {
            info!("nobody takes {page}: it stays in the tray");
        }
    }
}

// ANCHOR: archive
/// Writes page after page, then seals the box, which takes 1 s.
fn archive_pages(inbox: Receiver<String>) -> io::Result<()> {
    let mut file = File::create("pages.txt")?;
    for page in inbox {
        file.write_all(format!("{page}\n").as_bytes())?;
        info!("{page} is archived");
    }
    thread::sleep(Duration::from_secs(1));
    file.write_all(b"sealed\n")?;
    info!("the box is sealed");
    Ok(())
}
// ANCHOR_END: archive

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
