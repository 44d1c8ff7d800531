//! The first signal asks for an end in order, the second one ends the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

// ANCHOR: signals
pub fn listen() -> Result<Signals, String> {
    let listen = || {
        let signals = Signals::new([SIGTERM, SIGINT])?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // Called in this order: the first signal finds the flag down and raises it,
            // the second one finds it raised and ends the process.
            let code = 128 + signal;
            flag::register_conditional_shutdown(signal, code, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(signals)
    };
    listen().map_err(cannot_listen)
}
// ANCHOR_END: signals

fn cannot_listen(error: std::io::Error) -> String {
    format!("cannot listen to signals: {error}")
}
