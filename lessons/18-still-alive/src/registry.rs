//! Who is alive, told by the threads themselves; works on every system.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

// ANCHOR: registry
static ALIVE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Starts a thread that is in the registry for as long as it lives.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // Signed in here, not in the thread: there is no moment when it is missing.
    let entry = Entry::new(name);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _entry = entry;
        work()
    })
}

/// The full names of those who have not ended, in the order of their start.
pub fn alive() -> Vec<String> {
    lock().clone()
}

struct Entry(String);

impl Entry {
    fn new(name: &str) -> Self {
        lock().push(name.to_owned());
        Self(name.to_owned())
    }
}

impl Drop for Entry {
    /// Also when the thread panics, or could not be started.
    fn drop(&mut self) {
        let mut alive = lock();
        if let Some(index) = alive.iter().position(|name| *name == self.0) {
            alive.remove(index);
        }
    }
}
// ANCHOR_END: registry

fn lock() -> MutexGuard<'static, Vec<String>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
