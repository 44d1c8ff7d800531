//! What a reader types to name a lesson.

use libtest_mimic::Trial;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    Vec::new()
}
