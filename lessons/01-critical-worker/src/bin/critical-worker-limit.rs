//! A second thread that cannot be started, while the first one works.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};
use std::thread::{self, Builder};
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

/// No process may address so much: such a stack is refused, with the same error as a thread too many.
const TOO_MUCH: usize = 1 << 60;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1);
    let result = match way.as_deref().and_then(OsStr::to_str) {
        Some("scope") => in_a_scope(),
        Some("spawn") => spawn_at_the_limit(),
        Some("spawn-now") => spawn_now(),
        _ => with_handles(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format_args!("cannot start a thread: {why}"))
        }
    }
}

// ANCHOR: handles
fn with_handles() -> io::Result<()> {
    let critical = Builder::new().name("critical".to_owned()).spawn(work)?;
    until_the_first_order();
    // A way out between a spawn and its join: this `?`.
    let audit =
        Builder::new().name("audit".to_owned()).stack_size(TOO_MUCH).spawn(work)?;
    result_of(critical.join().and(audit.join()));
    Ok(())
}
// ANCHOR_END: handles

// ANCHOR: scope
fn in_a_scope() -> io::Result<()> {
    thread::scope(|scope| {
        Builder::new().name("critical".to_owned()).spawn_scoped(scope, work)?;
        until_the_first_order();
        let audit = Builder::new().name("audit".to_owned()).stack_size(TOO_MUCH);
        audit.spawn_scoped(scope, work)?;
        Ok(())
        // However this closure is left, the scope waits for both.
    })
}
// ANCHOR_END: scope

fn until_the_first_order() {
    info!("the first order, which needs a second thread, comes in 0.75 s");
    thread::sleep(Duration::from_millis(750));
}

/// Five steps of half a second.
fn work() {
    for step in 1..=5 {
        thread::sleep(Duration::from_millis(500));
        info!("step {step} of 5 is done");
    }
}

fn result_of(joined: thread::Result<()>) {
    joined.unwrap_or_else(|payload| panic::resume_unwind(payload));
}

// ANCHOR: spawn
#[expect(clippy::disallowed_methods, reason = "it is the one that panics")]
fn spawn_now() -> io::Result<()> {
    // Its signature knows no error.
    let critical = thread::spawn(work);
    result_of(critical.join());
    Ok(())
}
// ANCHOR_END: spawn

/// Runs this program once more, with that stack for every thread that asks for no other.
fn spawn_at_the_limit() -> io::Result<()> {
    let mut again = Command::new(env::current_exe()?);
    let status = again
        .arg("spawn-now")
        .env("RUST_MIN_STACK", TOO_MUCH.to_string())
        .status()?;
    info!("thread::spawn: {status}");
    Ok(())
}
