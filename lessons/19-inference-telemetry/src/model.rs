//! The model: a hundred tokens after 0.25 s, and a hundred more every half second.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Knows nothing of metrics: it counts, and whoever wants to know looks.
pub fn infer(batches: u32, tokens: &AtomicU64, start: Instant) {
    let first = start + Duration::from_millis(250);
    for batch in 0..batches {
        sleep_until(first + batch * Duration::from_millis(500));
        tokens.fetch_add(100, Relaxed);
    }
}

pub fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
