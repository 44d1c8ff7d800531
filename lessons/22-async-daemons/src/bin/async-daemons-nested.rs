//! A runtime that is let go of inside of another one.

use std::env;
use std::process::ExitCode;

use tokio::runtime::Runtime;
use tokio::task;
use tracing::info;

#[tokio::main]
async fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return lesson_log::failure(format!("there is no runtime: {error}"));
        }
    };
    // ANCHOR: ways
    match way.to_str() {
        // Panics: `drop` blocks, and this thread has other tasks to run.
        Some("drop") => drop(runtime),
        // Does not wait.
        Some("background") => runtime.shutdown_background(),
        // Waits on a thread that may block.
        Some("blocking") => {
            let dropped = task::spawn_blocking(move || drop(runtime));
            if let Err(error) = dropped.await {
                return lesson_log::failure(error);
            }
        }
        _ => {
            runtime.shutdown_background();
            return lesson_log::failure("one of drop, background, blocking");
        }
    }
    // ANCHOR_END: ways
    info!("the inner runtime is gone");
    ExitCode::SUCCESS
}
