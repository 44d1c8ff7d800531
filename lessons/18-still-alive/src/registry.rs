//! Who is alive, told by the threads themselves; works on every system.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

// ANCHOR: registry
/// Names by number: two threads may have one name.
static ALIVE: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Starts a thread that is in the registry until its work has ended.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    // Signed in here, not in the thread: there is no moment when it is missing.
    let entry = Entry::new(name);
    let thread = Builder::new().name(name.to_owned()).spawn(move || {
        let _entry = entry;
        work()
    });
    thread.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// The full names, in the order in which the threads were started.
pub fn alive() -> Vec<String> {
    lock().values().cloned().collect()
}

struct Entry(u64);

impl Entry {
    fn new(name: &str) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        lock().insert(number, name.to_owned());
        Self(number)
    }
}

impl Drop for Entry {
    /// Also when the thread panics, or could not be started.
    fn drop(&mut self) {
        lock().remove(&self.0);
    }
}
// ANCHOR_END: registry

fn lock() -> MutexGuard<'static, BTreeMap<u64, String>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
