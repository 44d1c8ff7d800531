//! Five ways to hang at the end, a file for each, and what repairs it.

mod each_other;
mod full;
mod lock;
mod pool;
mod sender;

use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (way, repaired) = match arguments[..] {
        [way] => (way, false),
        [way, "--repaired"] => (way, true),
        _ => ("", false),
    };
    let run: fn(bool) -> io::Result<()> = match way {
        "sender" => sender::run,
        "full" => full::run,
        "lock" => lock::run,
        "each-other" => each_other::run,
        "pool" => pool::run,
        _ => {
            eprintln!(
                "which way? sender, full, lock, each-other or pool; then --repaired"
            );
            return Ok(ExitCode::FAILURE);
        }
    };
    info!("the service stops; the trap is {way:?}");
    run(repaired)?;
    info!("nobody is left to wait for");
    Ok(ExitCode::SUCCESS)
}

fn start(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

// ANCHOR: join
/// Says whom it waits for, before it does.
fn join(thread: JoinHandle<()>) {
    info!("I wait for {}", thread.thread().name().unwrap_or("a thread"));
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
}
// ANCHOR_END: join

fn work_for(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}
