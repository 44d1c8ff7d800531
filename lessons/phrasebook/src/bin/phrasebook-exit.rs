//! End with an exit code, and let the destructors run.

use std::process::ExitCode;

use tracing::info;

struct LightsOut;

impl Drop for LightsOut {
    fn drop(&mut self) {
        info!("the lights are out");
    }
}

// ANCHOR: cell
fn main() -> ExitCode {
    lesson_log::init();
    let _guard = LightsOut;
    info!("the disk is full");
    // `process::exit(3)` would skip the guard.
    ExitCode::from(3)
}
// ANCHOR_END: cell
