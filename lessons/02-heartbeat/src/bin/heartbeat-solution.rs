//! Solution: the job is joined, the helper is detached.

use std::io;
use std::panic;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    info!("the export starts");
    // ANCHOR: solution
    let export =
        thread::Builder::new().name("export".to_owned()).spawn(export_rows)?;
    // Nobody waits for the lease: its handle is dropped; it ends with the process.
    thread::Builder::new().name("lease".to_owned()).spawn(renew_lease)?;
    export.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    // ANCHOR_END: solution
    info!("the export is complete");
    Ok(())
}

/// The job: five rows, half a second each.
fn export_rows() {
    for row in 1..=5 {
        thread::sleep(Duration::from_millis(500));
        info!("row {row} of 5 is exported");
    }
}

/// The helper: tells the scheduler every 0.9 s that the job is alive.
fn renew_lease() {
    let start = Instant::now();
    for renewal in 1.. {
        info!("renewal {renewal}");
        let next = start + renewal * Duration::from_millis(900);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
