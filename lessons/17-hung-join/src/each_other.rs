//! Two halves of a connection; the one that closes waits for the other half.

use std::panic;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, Builder, ScopedJoinHandle};

use tracing::info;

use crate::{cannot_start, work_for};

// ANCHOR: run
pub fn run(repaired: bool) -> Result<(), String> {
    // `main` waits at the end of the scope, for both.
    thread::scope(|scope| {
        let (to_uplink, peer) = mpsc::channel();
        let uplink = named("uplink").spawn_scoped(scope, move || close(&peer));
        let uplink = uplink.map_err(cannot_start("uplink"))?;
        let (to_downlink, peer) = mpsc::channel();
        let downlink = named("downlink").spawn_scoped(scope, move || close(&peer));
        let downlink = downlink.map_err(cannot_start("downlink"))?;
        // An error would say that the thread has gone.
        let _ = to_downlink.send(uplink);
        if !repaired {
            let _ = to_uplink.send(downlink);
        }
        Ok(())
    })
}

/// Where nobody is sent, there is nobody to wait for.
fn close(peer: &Receiver<ScopedJoinHandle<()>>) {
    work_for(1000);
    info!("I close");
    if let Ok(peer) = peer.recv() {
        info!("I wait for {}", peer.thread().name().unwrap_or("a thread"));
        if let Err(payload) = peer.join() {
            panic::resume_unwind(payload);
        }
    }
}
// ANCHOR_END: run

fn named(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}
