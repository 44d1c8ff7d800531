//! A thread saves a snapshot of an index again and again. It may be cut off, and
//! the process killed, at any moment.

#[path = "../place.rs"]
mod place;
#[path = "../snapshot.rs"]
mod snapshot;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, thread};

use tracing::info;

use place::{Place, Save, overwrite, replace};

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args().skip(1);
    let way = words.next().unwrap_or_else(|| "replace".to_owned());
    let pause = words.next().unwrap_or_else(|| "250".to_owned());
    let path = words.next().unwrap_or_else(|| "index.snapshot".to_owned());
    let save = match &*way {
        "replace" => Some(replace as Save),
        "in-place" => Some(overwrite as Save),
        "check" => None,
        _ => {
            eprintln!("`{way}` is none of replace, in-place and check");
            return ExitCode::FAILURE;
        }
    };
    let Ok(pause) = pause.parse().map(Duration::from_millis) else {
        eprintln!("`{pause}` is not a number of milliseconds");
        return ExitCode::FAILURE;
    };
    run(save, pause, PathBuf::from(&path)).map_or_else(
        |error| {
            eprintln!("cannot use {path}: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

// ANCHOR: run
fn run(save: Option<Save>, pause: Duration, path: PathBuf) -> io::Result<()> {
    let place = Place::open(path, pause)?;
    let loaded = snapshot::load(&place.path)?;
    match loaded {
        Some(generation) => info!("generation {generation} is loaded"),
        None => info!("there is no snapshot: the index has to be built anew"),
    }
    let Some(save) = save else { return Ok(()) };
    let (failed, failure) = mpsc::channel();
    // Nobody joins it: it is cut off when `main` returns.
    thread::Builder::new().name("sync".to_owned()).spawn(move || {
        let _ = failed.send(sync(&place, save, loaded.unwrap_or(0)));
    })?;
    match failure.recv_timeout(Duration::from_millis(2500)) {
        Ok(error) => error,
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("a panic")),
        Err(RecvTimeoutError::Timeout) => {
            info!("my own work is done");
            Ok(())
        }
    }
}

/// Saves one generation after the other; returns only if one cannot be saved.
fn sync(place: &Place, save: Save, loaded: u32) -> io::Result<()> {
    for generation in loaded + 1.. {
        // A quarter of a million numbers, all alike: a mixture would be seen.
        let body = generation.to_le_bytes().repeat(1 << 18);
        save(place, &snapshot::encode(&body)?)?;
        info!("generation {generation} is saved");
    }
    Ok(())
}
// ANCHOR_END: run
