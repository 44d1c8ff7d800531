//! A detached thread holds the lock of stdout, and `main` returns with half a line unprinted. Told
//! `needed`, it tries to print the other half.

use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

// ANCHOR: program
fn main() -> io::Result<()> {
    lesson_log::init();
    info!("my own work takes 0.5 s");
    print!("half a line");
    thread::Builder::new().name("holder".to_owned()).spawn(|| {
        let _held = io::stdout().lock();
        loop {
            thread::park();
        }
    })?;
    thread::sleep(Duration::from_millis(500));
    if env::args().nth(1).is_some_and(|word| word == "needed") {
        println!(", and the other half");
    }
    Ok(())
}
// ANCHOR_END: program
