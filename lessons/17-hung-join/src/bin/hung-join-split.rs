//! A thread that shares the work, and not the struct whose drop joins it.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let word = env::args_os().nth(1);
    if word.as_ref().is_some_and(|word| word != "broken") {
        return lesson_log::failure("the only argument is broken");
    }
    let backup = match Backup::start(word.is_some()) {
        Ok(backup) => backup,
        Err(why) => return lesson_log::failure(why),
    };
    info!("I drop the backup");
    drop(backup);
    info!("nobody is left to wait for");
    ExitCode::SUCCESS
}

// ANCHOR: split
/// Shared by `main` and the thread, and knows of neither.
struct Files {
    name: &'static str,
    broken: bool,
}

/// Owned by `main` alone.
struct Backup {
    files: Arc<Files>,
    thread: Option<JoinHandle<()>>,
}

impl Backup {
    fn start(broken: bool) -> Result<Self, String> {
        let files = Arc::new(Files { name: "accounts", broken });
        let shared = Arc::clone(&files);
        let thread = thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || shared.copy())
            .map_err(|error| format!("cannot start the thread backup: {error}"))?;
        Ok(Self { files, thread: Some(thread) })
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        info!("I wait for the copy of {}", self.files.name);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            info!("backup has panicked");
        }
    }
}
// ANCHOR_END: split

impl Files {
    /// Takes 1 s.
    fn copy(&self) {
        thread::sleep(Duration::from_secs(1));
        assert!(!self.broken, "the files cannot be read");
        info!("the files are copied");
    }
}
