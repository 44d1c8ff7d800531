//! A thread saves a snapshot of an index again and again. It may be cut off, and
//! the process killed, at any moment.

#[path = "../place.rs"]
mod place;
#[path = "../snapshot.rs"]
mod snapshot;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use signal_hook::consts::SIGXFSZ;
use tracing::info;

use place::{Place, Save, overwrite, replace};

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1);
    let way = words.next().unwrap_or_else(|| "replace".into());
    let pause = words.next().unwrap_or_else(|| "200".into());
    let path = words.next().unwrap_or_else(|| "index.snapshot".into());
    let save = match way.to_str() {
        Some("replace") => Some(replace as Save),
        Some("in-place") => Some(overwrite as Save),
        Some("check") => None,
        _ => {
            let way = way.display();
            return lesson_log::failure(format!(
                "`{way}` is none of replace, in-place and check"
            ));
        }
    };
    let Some(pause) = pause.to_str().and_then(|pause| pause.parse().ok()) else {
        let pause = pause.display();
        return lesson_log::failure(format!(
            "`{pause}` is not a number of milliseconds"
        ));
    };
    match run(save, Duration::from_millis(pause), Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot use {}: {why}", path.display()))
        }
    }
}

// ANCHOR: run
fn run(save: Option<Save>, pause: Duration, path: &Path) -> io::Result<()> {
    // ANCHOR: limit
    // From here on a file that may not grow is an error of `write`, and no sudden end.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    // ANCHOR_END: limit
    let place = Place::open(path, pause)?;
    let loaded = snapshot::load(path)?;
    match loaded {
        Some(generation) => info!("generation {generation} is loaded"),
        None => info!("there is no snapshot: the index has to be built anew"),
    }
    let Some(save) = save else { return Ok(()) };
    let (failed, failure) = mpsc::channel();
    // Nobody joins it: it is cut off when `main` returns.
    let thread = thread::Builder::new().name("sync".to_owned()).spawn(move || {
        // If `main` does not listen any more, it is about to return.
        let _ = failed.send(sync(&place, save, loaded.unwrap_or(0), 5 * pause));
    });
    thread
        .map_err(|error| io::Error::other(format!("no thread for it: {error}")))?;
    match failure.recv_timeout(Duration::from_millis(2500)) {
        Ok(error) => error,
        Err(RecvTimeoutError::Disconnected) => {
            Err(io::Error::other("`sync` has panicked"))
        }
        Err(RecvTimeoutError::Timeout) => {
            info!("my own work is done");
            Ok(())
        }
    }
}

/// Saves a generation each `step`; returns only if one cannot be saved.
fn sync(place: &Place, save: Save, loaded: u32, step: Duration) -> io::Result<()> {
    let mut next = Instant::now();
    for generation in (loaded..=u32::MAX).skip(1) {
        // A quarter of a million numbers, all alike: a mixture would be seen.
        let body = generation.to_le_bytes().repeat(1 << 18);
        save(place, &snapshot::encode(&body)?)?;
        info!("generation {generation} is saved");
        next += step;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Err(io::Error::other("there is no number for one more generation"))
}
// ANCHOR_END: run
