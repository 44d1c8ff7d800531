//! A detached thread holds a lock for ever, and `main` returns.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_else(|| "unused".into());
    if way != "unused" && way != "needed" {
        let way = way.display();
        return lesson_log::failure(format!(
            "is the lock `unused` or `needed` at the end? not `{way}`"
        ));
    }
    info!("my own work takes 0.5 s");
    match start_holder() {
        Ok(lock) => {
            let _last_words = (way == "needed").then(|| LastWords(lock));
            thread::sleep(Duration::from_millis(500));
            info!("my own work is done");
            ExitCode::SUCCESS
        }
        Err(why) => lesson_log::failure(format!("cannot start holder: {why}")),
    }
}

// ANCHOR: program
/// Gives a lock that a detached thread holds and never gives back.
fn start_holder() -> io::Result<Arc<Mutex<()>>> {
    let lock = Arc::new(Mutex::new(()));
    let held = Arc::clone(&lock);
    let (report, is_held) = mpsc::channel();
    thread::Builder::new().name("holder".to_owned()).spawn(move || {
        let _held = held.lock().unwrap_or_else(PoisonError::into_inner);
        info!("I have the lock, and I keep it");
        // `main` waits for this; once it is gone, so is this thread.
        let _ = report.send(());
        loop {
            thread::park();
        }
    })?;
    is_held.recv().map_err(io::Error::other)?;
    Ok(lock)
}

struct LastWords(Arc<Mutex<()>>);

impl Drop for LastWords {
    fn drop(&mut self) {
        info!("my last words need the lock");
        let _held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        info!("I have said them");
    }
}
// ANCHOR_END: program
