//! Exercise: pages are rendered by threads of their own; the book is never finished.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p hung-join --bin hung-join-exercise -- 1000 1200 1400 1600
//! Check it:    cargo test hung-join
//!              (this file alone: cargo test exercise::hung-join)
//! Start over:  git restore lessons/17-hung-join/src/bin/hung-join-exercise.rs

use std::process::ExitCode;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use std::{env, panic};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let words = env::args_os().skip(1);
    let pages: Option<Vec<_>> =
        words.map(|word| word.to_string_lossy().parse().ok()).collect();
    let Some(pages) = pages.filter(|pages| !pages.is_empty()) else {
        return lesson_log::failure(
            "how long does each page take? whole numbers of milliseconds",
        );
    };
    match bind_book(&pages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// A thread renders each page; `main` binds the pages as they come.
fn bind_book(pages: &[u64]) -> Result<(), String> {
    info!("a book of {} pages is to be bound", pages.len());
    let ink = Arc::new(Mutex::new(0));
    // A rendered page is large: no more than two may wait for the binding.
    let (to_binding, rendered) = mpsc::sync_channel(2);
    let mut renderers = Vec::new();
    let mut all_started = Ok(());
    for (page, &millis) in (1..).zip(pages) {
        let (to_binding, ink) = (to_binding.clone(), Arc::clone(&ink));
        let renderer = thread::Builder::new()
            .name(format!("renderer-{page}"))
            .spawn(move || render(page, millis, &to_binding, &ink));
        match renderer {
            Ok(renderer) => renderers.push(renderer),
            Err(error) => {
                // The pages that are being rendered are bound all the same.
                all_started = Err(format!(
                    "cannot start the thread renderer-{page}: {error}"
                ));
                break;
            }
        }
    }

    // All pages are there when all renderers have ended.
    for renderer in renderers {
        if let Err(payload) = renderer.join() {
            panic::resume_unwind(payload);
        }
    }
    let mut ink = ink.lock().unwrap_or_else(PoisonError::into_inner);
    for page in rendered {
        *ink += 1;
        bind(page);
    }
    all_started?;
    info!("the book took {ink} ml of ink");
    Ok(())
}

/// Each page takes more ink than the one before. One that takes no time is empty.
fn render(page: u32, millis: u64, to_binding: &SyncSender<u32>, ink: &Mutex<u32>) {
    assert!(millis > 0, "page {page} is empty");
    thread::sleep(Duration::from_millis(millis));
    info!("page {page} is rendered");
    *ink.lock().unwrap_or_else(PoisonError::into_inner) += page;
    // It fails where nobody binds pages any more.
    if to_binding.send(page).is_ok() {
        info!("page {page} is handed over");
    }
}

/// Takes 0.8 s.
fn bind(page: u32) {
    thread::sleep(Duration::from_millis(800));
    info!("page {page} is in the book");
}
