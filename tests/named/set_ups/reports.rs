//! What a report says of programs that do what no program should.

use libtest_mimic::Trial;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    Vec::new()
}
