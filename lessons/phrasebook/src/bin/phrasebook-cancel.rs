//! What `pthread_cancel` makes of a thread of Rust's: not for use.

#![expect(
    unsafe_code,
    reason = "the subject is a C function"
)]

use std::os::unix::thread::JoinHandleExt;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, hint, io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the printer: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    let computes = env::args_os()
        .nth(1)
        .is_some_and(|word| word == "computes");
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(if computes {
            compute
        } else {
            sleep
        })?;
    info!("the printer gets half a second");
    thread::sleep(Duration::from_millis(500));
    // SAFETY: there is none. The thread was neither joined nor detached, so the id is right; but it
    // may be unwound by force out of a call that must not unwind. That is what this program shows.
    unsafe {
        libc::pthread_cancel(printer.as_pthread_t())
    };
    info!("the printer is cancelled");
    thread::sleep(Duration::from_secs(1));
    info!("it has ended: {}", printer.is_finished());
    Ok(())
}

/// Stands in a call at which a thread can be cancelled.
fn sleep() {
    thread::sleep(Duration::from_secs(60));
}

/// Makes no such call.
fn compute() {
    loop {
        hint::spin_loop();
    }
}
