//! A helper that keeps a file new, and a destructor of `main` that removes the file.

use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format_args!(
            "cannot start the thread heartbeat: {why}"
        )),
    }
}

// ANCHOR: run
fn run() -> io::Result<()> {
    let _alive = Alive;
    thread::Builder::new().name("heartbeat".to_owned()).spawn(|| {
        loop {
            let _ = fs::write("alive.txt", "alive\n");
            thread::sleep(Duration::from_millis(100));
        }
    })?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {
        let _ = fs::remove_file("alive.txt");
        info!("alive.txt is removed");
        // The end goes on: other values are dropped, exit handlers run.
        thread::sleep(Duration::from_millis(500));
    }
}
// ANCHOR_END: run
