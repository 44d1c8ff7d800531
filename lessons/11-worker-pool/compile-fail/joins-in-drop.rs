//! A worker that is joined through a reference to its handle.

use std::thread::JoinHandle;

struct Printer {
    thread: JoinHandle<()>,
}

impl Drop for Printer {
    fn drop(&mut self) {
        wait_for(self.thread);
    }
}

fn wait_for(thread: JoinHandle<()>) {
    let _ = thread.join();
}

fn main() {}
