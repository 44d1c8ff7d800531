//! Solution: `main` lets go of its sender and of the lock, and receives before it joins.

use std::process::ExitCode;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let pages = env::args().nth(1).unwrap_or_else(|| "3".to_owned());
    let Ok(pages) = pages.parse() else {
        eprintln!("the number of pages is not a number: {pages}");
        return ExitCode::FAILURE;
    };
    match bind_book(pages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot start a thread: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A thread renders each page; `main` binds the pages as they come.
fn bind_book(pages: u32) -> io::Result<()> {
    info!("a book of {pages} pages is to be bound");
    let ink = Arc::new(Mutex::new(0));
    // A rendered page is large: no more than two may wait for the binding.
    let (to_binding, rendered) = mpsc::sync_channel(2);
    let mut renderers = Vec::new();
    for page in 1..=pages {
        let (to_binding, ink) = (to_binding.clone(), Arc::clone(&ink));
        let renderer = thread::Builder::new()
            .name(format!("renderer-{page}"))
            .spawn(move || render(page, &to_binding, &ink))?;
        renderers.push(renderer);
    }

    // ANCHOR: solution
    // The renderers have their own; with this one the channel would stay open.
    drop(to_binding);
    for page in rendered {
        *ink.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        info!("page {page} is in the book");
    }
    for renderer in renderers {
        renderer.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    }
    let ink = ink.lock().unwrap_or_else(PoisonError::into_inner);
    info!("the book took {ink} ml of ink");
    // ANCHOR_END: solution
    Ok(())
}

/// Each page takes longer than the one before, 0.5 s, 1 s, and so on, and more ink.
fn render(page: u32, to_binding: &SyncSender<u32>, ink: &Mutex<u32>) {
    thread::sleep(page * Duration::from_millis(500));
    info!("page {page} is rendered");
    *ink.lock().unwrap_or_else(PoisonError::into_inner) += page;
    // Where nobody binds pages any more there is nobody to tell.
    let _ = to_binding.send(page);
}
