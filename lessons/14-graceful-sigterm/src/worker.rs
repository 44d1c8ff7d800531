//! A thread that wakes `main` when it ends, and can be waited for until a deadline.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use signal_hook::iterator::Handle;

// ANCHOR: worker
pub struct Worker {
    name: &'static str,
    thread: JoinHandle<Result<(), String>>,
    /// Nothing is sent here. It closes when the thread ends.
    ended: Receiver<()>,
}

impl Worker {
    pub fn spawn(
        name: &'static str,
        bell: Handle,
        work: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Result<Self, String> {
        let (alive, ended) = mpsc::channel();
        let run = move || {
            // Dropped at the end of the work, also at the end by a panic: first the
            // last one.
            let _bell = Bell(bell);
            let _alive: Sender<()> = alive;
            work()
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread
            .map_err(|error| format!("cannot start the thread {name}: {error}"))?;
        Ok(Self { name, thread, ended })
    }

    /// `None` says that the thread still runs.
    pub fn join_by(self, deadline: Instant) -> Option<Result<(), String>> {
        let left = deadline.saturating_duration_since(Instant::now());
        if self.ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            return None;
        }
        let panicked = |_| Err(format!("the thread {} has panicked", self.name));
        Some(self.thread.join().unwrap_or_else(panicked))
    }
}

/// Ends the wait for signals.
struct Bell(Handle);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.close();
    }
}
// ANCHOR_END: worker
