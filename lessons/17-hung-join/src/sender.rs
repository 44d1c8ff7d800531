//! `main` waits for the auditor, which waits for a sender: `main` drops it.

use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};

use tracing::info;

use crate::{join, start, work_for};

// ANCHOR: run
/// Where every part of the service sends its entries.
static AUDIT: Mutex<Option<Sender<&str>>> = Mutex::new(None);

pub fn run(repaired: bool) -> Result<(), String> {
    let (sender, entries) = mpsc::channel();
    let auditor = start("auditor", move || {
        for entry in entries {
            info!("{entry}");
        }
    })?;
    set_audit(Some(sender));
    serve_request();
    if repaired {
        set_audit(None);
        join(auditor)?;
    } else {
        join(auditor)?;
        set_audit(None);
    }
    Ok(())
}
// ANCHOR_END: run

fn set_audit(sender: Option<Sender<&'static str>>) {
    *AUDIT.lock().unwrap_or_else(PoisonError::into_inner) = sender;
}

/// Takes 1 s.
fn serve_request() {
    work_for(1000);
    if let Some(audit) = &*AUDIT.lock().unwrap_or_else(PoisonError::into_inner) {
        // An auditor that has ended has nothing to write.
        let _ = audit.send("a request was served");
    }
}
