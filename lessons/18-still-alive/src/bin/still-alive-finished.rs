//! A thread whose work is done, and which has not ended: its thread-local value is being dropped.

#[path = "../kernel.rs"]
mod kernel;
#[path = "../registry.rs"]
mod registry;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: run
struct Cache;

impl Drop for Cache {
    fn drop(&mut self) {
        thread::sleep(Duration::from_secs(1));
    }
}

thread_local! {
    static CACHE: Cache = const { Cache };
}

fn run() -> Result<(), String> {
    info!("import works for half a second");
    let import = registry::spawn("import", || {
        // The first use makes it.
        CACHE.with(|_cache| thread::sleep(Duration::from_millis(500)));
    })?;
    while !import.is_finished() {
        thread::sleep(Duration::from_millis(10));
    }
    info!("is_finished is true, the registry has {}", registry::alive().len());
    match kernel::names() {
        Ok(names) => info!("the kernel has {}", names.join(", ")),
        Err(error) => info!("the kernel does not say: {error}"),
    }
    let end = import.join();
    info!("the join is over");
    end.map_err(|_| "import has panicked".to_owned())
}
// ANCHOR_END: run
