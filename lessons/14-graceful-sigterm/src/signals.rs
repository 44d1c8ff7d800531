//! The first signal asks for an end in order, the second one ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

// ANCHOR: signals
pub fn listen() -> io::Result<Signals> {
    let signals = Signals::new([SIGTERM, SIGINT])?;
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // Called in this order: the first signal finds the flag down and raises it, the
        // second one finds it raised and ends the process.
        let code = 128 + signal;
        flag::register_conditional_shutdown(signal, code, Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(signals)
}
// ANCHOR_END: signals
