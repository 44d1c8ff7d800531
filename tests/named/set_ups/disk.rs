//! The disk of temporary files: slow, full, missing, or where nothing may be run.

use libtest_mimic::Trial;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    Vec::new()
}
