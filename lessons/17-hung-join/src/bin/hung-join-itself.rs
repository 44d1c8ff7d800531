//! A thread that joins itself does not hang: it panics.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, mem, panic};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut words: Vec<_> = env::args_os().skip(1).collect();
    let repaired = words.pop_if(|word| word == "--repaired").is_some();
    let broken = words.pop_if(|word| word == "broken").is_some();
    if !words.is_empty() {
        return lesson_log::failure("what may follow: broken, then --repaired");
    }
    // The standard hook prints a long backtrace for a panic within a panic.
    panic::set_hook(Box::new(|info| {
        // Where nobody can hear it there is nothing else to do, and a panic here would abort.
        let _ = writeln!(io::stderr(), "{info}");
    }));
    let backup = Arc::new(Backup { broken, repaired, thread: Mutex::default() });
    if let Err(why) = backup.start() {
        return lesson_log::failure(why);
    }
    info!("I drop the backup");
    drop(backup);
    serve_requests();
    info!("nobody is left to wait for");
    ExitCode::SUCCESS
}

// ANCHOR: backup
/// Owned by `main` and by its own thread: the last of the two drops it.
struct Backup {
    broken: bool,
    repaired: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Backup {
    fn start(self: &Arc<Self>) -> Result<(), String> {
        let owner = Arc::clone(self);
        let thread = thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || owner.copy_files())
            .map_err(|error| format!("cannot start the thread backup: {error}"))?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Takes 1 s.
    fn copy_files(&self) {
        thread::sleep(Duration::from_secs(1));
        assert!(!self.broken, "the files cannot be read");
        info!("the files are copied");
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = mem::take(thread) else { return };
        if self.repaired && thread.thread().id() == thread::current().id() {
            info!("I am the last owner and do not wait for myself");
            return;
        }
        if thread.join().is_err() {
            info!("backup has panicked");
        }
    }
}
// ANCHOR_END: backup

/// Takes 2 s.
fn serve_requests() {
    thread::sleep(Duration::from_secs(2));
}
