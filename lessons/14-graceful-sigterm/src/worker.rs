//! A thread that can be waited for until a deadline.

use std::io;
use std::panic;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

// ANCHOR: worker
pub struct Worker<T> {
    pub thread: JoinHandle<T>,
    /// Nothing is sent here. It closes when the thread ends.
    ended: Receiver<()>,
}

impl<T: Send + 'static> Worker<T> {
    pub fn spawn(
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Self> {
        let (alive, ended) = mpsc::channel();
        let run = move || {
            // Dropped at the end of the work, also at the end by a panic.
            let _alive: Sender<()> = alive;
            work()
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { thread, ended })
    }

    /// `None` says that the thread still runs.
    pub fn join_by(self, deadline: Instant) -> Option<T> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.ended.recv_timeout(left) {
            Err(RecvTimeoutError::Timeout) => None,
            _ => {
                Some(self.thread.join().unwrap_or_else(|p| panic::resume_unwind(p)))
            }
        }
    }
}
// ANCHOR_END: worker
