//! `main` waits for the scanner, which waits for room in a channel: `main` empties it.

use std::sync::mpsc;

use tracing::info;

use crate::{join, start, work_for};

// ANCHOR: run
pub fn run(repaired: bool) -> Result<(), String> {
    let (found, shelves) = mpsc::sync_channel(2);
    let scanner = start("scanner", move || {
        for shelf in 1..=4 {
            scan(shelf);
            if found.send(shelf).is_err() {
                return; // Nobody counts any more.
            }
        }
    })?;
    let count = || info!("{} shelves are counted", shelves.iter().count());
    if repaired {
        count();
        join(scanner)?;
    } else {
        join(scanner)?;
        count();
    }
    Ok(())
}
// ANCHOR_END: run

/// Takes 0.3 s.
fn scan(shelf: u32) {
    work_for(300);
    info!("shelf {shelf} is scanned");
}
