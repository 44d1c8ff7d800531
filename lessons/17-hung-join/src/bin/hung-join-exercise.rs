//! Exercise: pages are rendered by threads of their own; the book is never finished.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p hung-join --bin hung-join-exercise -- 3
//! Check it:    cargo test hung-join
//!              (this file alone: cargo test exercise::hung-join)
//! Start over:  git restore lessons/17-hung-join/src/bin/hung-join-exercise.rs

use std::process::ExitCode;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

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

    // All pages are there when all renderers have ended.
    for renderer in renderers {
        renderer.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    }
    let mut ink = ink.lock().unwrap_or_else(PoisonError::into_inner);
    for page in rendered {
        *ink += 1;
        info!("page {page} is in the book");
    }
    info!("the book took {ink} ml of ink");
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
