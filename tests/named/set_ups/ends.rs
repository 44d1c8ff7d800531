//! The self-check ends, by whatever means, and nothing of it is left.

use libtest_mimic::Trial;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    Vec::new()
}
