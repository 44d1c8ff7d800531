//! When the service ends: at a signal, or when the thread that everybody needs is gone.

use std::io;
use std::thread::{Builder, JoinHandle};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use tracing::info;

pub struct Stop(Signals);

/// Ends the wait for a signal when it is dropped, whichever way its thread ends.
struct EndsTheWait(Handle);

impl Drop for EndsTheWait {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Stop {
    /// From here on a signal is kept until somebody asks for it: make it before any thread.
    pub fn new() -> io::Result<Self> {
        Signals::new([SIGINT, SIGTERM]).map(Self)
    }

    // ANCHOR: needs
    /// Starts the thread without which the service is none.
    pub fn needs(
        &self,
        name: &str,
        work: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<JoinHandle<io::Result<()>>, String> {
        let ends_the_wait = EndsTheWait(self.0.handle());
        start(name, move || {
            let _until_the_end = ends_the_wait;
            work()
        })
    }

    /// Comes back at a signal, or tells why there is no such thread any more.
    pub fn wait(
        mut self,
        needed: JoinHandle<io::Result<()>>,
    ) -> Result<(), String> {
        if self.0.forever().next().is_some() {
            info!("told to stop");
            return Ok(());
        }
        match needed.join() {
            Ok(Ok(())) => Err("the server has ended".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the server has panicked".to_owned()),
        }
    }
    // ANCHOR_END: needs
}

/// Starts a thread; says which one, if it cannot be started.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let thread = Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| format!("the thread {name} does not start: {error}"))
}
