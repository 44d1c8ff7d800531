//! Solution: the job is joined, the helper is detached.

use std::io;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    let rows = env::args().nth(1).map_or(Ok(5), |rows| rows.parse());
    let rows = rows.map_err(io::Error::other)?;
    info!("the export of {rows} rows starts");
    // ANCHOR: solution
    let export = thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || export(rows))?;
    // Nobody waits for the status: its handle is dropped; it ends with the process.
    thread::Builder::new().name("status".to_owned()).spawn(report_status)?;
    export.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    // ANCHOR_END: solution
    info!("the export is complete");
    Ok(())
}

/// The job: half a second for each row.
fn export(rows: u32) {
    let start = Instant::now();
    for row in 1..=rows {
        sleep_until(start + row * Duration::from_millis(500));
        info!("row {row} is exported");
    }
}

/// The helper: tells the scheduler every second that the job is alive.
fn report_status() {
    let start = Instant::now();
    for report in 1.. {
        info!("report {report}: alive");
        sleep_until(start + report * Duration::from_secs(1));
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
