//! Solution: the inbox ends when the last sender is dropped, and `main` drops its own.

#[path = "../inbox.rs"]
mod inbox;

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::SendError;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use inbox::{Inbox, Pages};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let args = env::args_os().skip(1);
    let mut args = args.map(|word| word.to_string_lossy().into_owned());
    let jammed = args.next().unwrap_or_else(|| "back".to_owned());
    let pages = args.next().map_or(Ok(2), |pages| pages.parse());
    let jam = args.next().map_or(Ok(2), |seconds| seconds.parse());
    let (true, Ok(pages @ 1..=9), Ok(jam @ 1..=99)) =
        (["front", "back"].contains(&&*jammed), pages, jam)
    else {
        return lesson_log::failure(
            "say front or back, 1 to 9 pages, and a jam of 1 to 99 seconds",
        );
    };
    match scan_all(&jammed, pages, Duration::from_secs(jam)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// Each scanner needs 1 s for a page. One of them has a jam after its first.
fn scan_all(jammed: &str, count: u32, jam: Duration) -> Result<(), String> {
    info!("two scanners; the paper will jam in {jammed}");
    let start = Instant::now();
    let (pages, inbox) = inbox::channel();
    let archive = spawn("archive", move || archive_pages(inbox))?;
    let mut scanners = Vec::new();
    for (name, first_page) in [("front", 500), ("back", 1000)] {
        let pages = pages.clone();
        let start = start + Duration::from_millis(first_page);
        let jam = if name == jammed { jam } else { Duration::ZERO };
        let work = move || scan(name, count, start, jam, &pages);
        scanners.push(spawn(name, work)?);
    }

    // ANCHOR: close
    // Now only scanners can send: when the last of them has ended, the inbox is closed.
    drop(pages);
    let scanned = join_all(scanners);
    // ANCHOR_END: close
    let archived = archive.join();
    // A panic goes on when all have ended: it would end the process under the others.
    result_of(scanned);
    result_of(archived)
        .map_err(|error| format!("cannot write pages.txt: {error}"))?;
    info!("all pages are scanned");
    Ok(())
}

fn scan(name: &str, count: u32, first: Instant, jam: Duration, pages: &Pages) {
    for page in 0..count {
        let jam = if page > 0 { jam } else { Duration::ZERO };
        let ready = first + page * Duration::from_secs(1) + jam;
        thread::sleep(ready.saturating_duration_since(Instant::now()));
        info!("page {} is scanned", page + 1);
        if (name, page) == ("back", 2) {
            info!("it is blank, and is not sent");
            continue;
        }
        if let Err(SendError(page)) = pages.send(format!("{name} {}", page + 1)) {
            info!("nobody takes {page}: it stays in the tray");
        }
    }
}

// ANCHOR: archive
/// Writes page after page, then seals the box, which takes 1 s.
fn archive_pages(inbox: Inbox) -> io::Result<()> {
    let mut file = create_alone("pages.txt")?;
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

/// Starts the file anew, for this run alone: two runs would mix their pages.
fn create_alone(path: &str) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.is_file() {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another run is writing to it"));
        }
        file.set_len(0)?;
    }
    Ok(file)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// Waits for all, also where one has panicked.
fn join_all(threads: Vec<JoinHandle<()>>) -> thread::Result<()> {
    threads.into_iter().map(JoinHandle::join).fold(Ok(()), Result::and)
}

/// What a joined thread returned; if it panicked, the panic goes on here.
fn result_of<T>(joined: thread::Result<T>) -> T {
    match joined {
        Ok(result) => result,
        Err(payload) => panic::resume_unwind(payload),
    }
}
