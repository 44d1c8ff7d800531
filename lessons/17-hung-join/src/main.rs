//! Five ways to hang at the end, a file for each, and what repairs it.

mod each_other;
mod full;
mod lock;
mod pool;
mod sender;

use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let words: Vec<_> =
        env::args_os().skip(1).map(|word| word.display().to_string()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (way, repaired) = match words[..] {
        [way] => (way, false),
        [way, "--repaired"] => (way, true),
        _ => ("", false),
    };
    let run: fn(bool) -> Result<(), String> = match way {
        "sender" => sender::run,
        "full" => full::run,
        "lock" => lock::run,
        "each-other" => each_other::run,
        "pool" => pool::run,
        _ => {
            return lesson_log::failure(
                "which way? sender, full, lock, each-other or pool; then --repaired",
            );
        }
    };
    info!("the service stops; the trap is {way:?}");
    if let Err(why) = run(repaired) {
        return lesson_log::failure(why);
    }
    info!("nobody is left to wait for");
    ExitCode::SUCCESS
}

fn start(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(cannot_start(name))
}

fn cannot_start(name: &str) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot start the thread {name}: {error}")
}

// ANCHOR: join
/// Says whom it waits for, before it does.
fn join(thread: JoinHandle<()>) -> Result<(), String> {
    let name = thread.thread().name().unwrap_or("a thread").to_owned();
    info!("I wait for {name}");
    thread.join().map_err(|_| format!("{name} has panicked"))
}
// ANCHOR_END: join

fn work_for(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}
