//! `main` waits for the printer, which waits for a job or the end of its queue.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use tracing::info;

use crate::{join, start, work_for};

pub fn run(repaired: bool) -> Result<(), String> {
    let (jobs, queue) = mpsc::channel();
    let printer = start("printer", move || queue.iter().for_each(print_label))?;
    let pool = Pool { repaired, printer: Some(printer), jobs: Some(jobs) };
    pool.submit(1);
    drop(pool);
    Ok(())
}

// ANCHOR: pool
struct Pool {
    repaired: bool,
    printer: Option<JoinHandle<()>>,
    jobs: Option<Sender<u32>>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.repaired {
            self.jobs = None;
        }
        if let Some(printer) = self.printer.take() {
            // A second panic in a `drop` would abort the process.
            if let Err(why) = join(printer) {
                info!("{why}");
            }
        }
        // After this body the fields are dropped, and the sender with them.
    }
}
// ANCHOR_END: pool

impl Pool {
    fn submit(&self, label: u32) {
        if let Some(jobs) = &self.jobs
            && jobs.send(label).is_err()
        {
            info!("label {label} is not printed: the printer has gone");
        }
    }
}

/// Takes 1 s.
fn print_label(label: u32) {
    work_for(1000);
    info!("label {label} is printed");
}
