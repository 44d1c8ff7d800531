//! Wait until another thread has changed something.

use std::process::ExitCode;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

static WARM: Mutex<bool> = Mutex::new(false);
static CHANGED: Condvar = Condvar::new();

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the oven: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("the oven warms up");
    thread::Builder::new()
        .name("oven".to_owned())
        .spawn(warm_up)?;
    // ANCHOR: wait
    let warm = WARM.lock().expect("poisoned");
    let _warm = CHANGED
        .wait_while(warm, |warm| !*warm)
        .expect("poisoned");
    info!("the oven is warm");
    // ANCHOR_END: wait
    Ok(())
}

fn warm_up() {
    thread::sleep(Duration::from_secs(1));
    // ANCHOR: notify
    *WARM.lock().expect("poisoned") = true;
    CHANGED.notify_all();
    // ANCHOR_END: notify
}
