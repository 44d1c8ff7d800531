//! Have something done at the end, whichever way `main` returns.

use tracing::info;

// ANCHOR: cell
struct LightsOut;

impl Drop for LightsOut {
    fn drop(&mut self) {
        info!("the lights are out");
    }
}

fn main() {
    // Not `_`: that would drop it on this line.
    let _guard = LightsOut;
    // ANCHOR_END: cell
    lesson_log::init();
    info!("my own work is done");
}
