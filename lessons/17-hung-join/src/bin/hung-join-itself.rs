//! A thread that joins itself does not hang: it panics.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use tracing::info;

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let repaired = match env::args().nth(1).as_deref() {
        None => false,
        Some("--repaired") => true,
        Some(_) => {
            eprintln!("there is one option: --repaired");
            return Ok(ExitCode::FAILURE);
        }
    };
    let backup = Arc::new(Backup { repaired, thread: Mutex::new(None) });
    backup.start()?;
    info!("I drop the backup");
    drop(backup);
    serve_requests();
    info!("nobody is left to wait for");
    Ok(ExitCode::SUCCESS)
}

// ANCHOR: backup
/// Owned by `main` and by its own thread: the last of the two drops it.
struct Backup {
    repaired: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Backup {
    fn start(self: &Arc<Self>) -> io::Result<()> {
        let owner = Arc::clone(self);
        let thread = thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || owner.copy_files())?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Takes 1 s.
    fn copy_files(&self) {
        thread::sleep(Duration::from_secs(1));
        info!("the files are copied");
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return };
        if self.repaired && thread.thread().id() == thread::current().id() {
            info!("I am the last owner and do not wait for myself");
            return;
        }
        // There is nobody to tell of a panic in it.
        let _ = thread.join();
    }
}
// ANCHOR_END: backup

/// Takes 2 s.
fn serve_requests() {
    thread::sleep(Duration::from_secs(2));
}
