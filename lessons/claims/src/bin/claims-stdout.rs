//! A detached thread holds the lock of stdout, and `main` returns with half a line unprinted. Told
//! `needed`, it tries to print the other half.

use std::process::ExitCode;
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

// ANCHOR: program
fn main() -> ExitCode {
    lesson_log::init();
    info!("my own work takes 0.5 s");
    print!("half a line");
    let holder = thread::Builder::new().name("holder".to_owned()).spawn(|| {
        let _held = io::stdout().lock();
        loop {
            thread::park();
        }
    });
    if let Err(why) = holder {
        return lesson_log::failure(format!("cannot start holder: {why}"));
    }
    thread::sleep(Duration::from_millis(500));
    if env::args_os().nth(1).is_some_and(|word| word == "needed") {
        println!(", and the other half");
    }
    ExitCode::SUCCESS
}
// ANCHOR_END: program
