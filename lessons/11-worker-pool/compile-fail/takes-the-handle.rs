//! A worker with a destructor, whose handle is moved out of it.

use std::thread::JoinHandle;

struct Printer {
    thread: JoinHandle<()>,
}

impl Printer {
    fn close(self) -> JoinHandle<()> {
        self.thread
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        println!("the printer is dropped");
    }
}

fn main() {}
