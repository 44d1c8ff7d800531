//! Whether this process keeps up with the clock.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a thread looks at the clock.
const BEAT: Duration = Duration::from_millis(50);

/// So much later than it wanted to, it was held up, and with it whatever else was to happen then.
const LATE: Duration = Duration::from_millis(250);

/// How often it was held up.
static HELD_UP: AtomicUsize = AtomicUsize::new(0);

/// Has a thread look at the clock from now on.
pub(super) fn begin() -> io::Result<()> {
    thread::Builder::new().name("pulse".to_owned()).spawn(|| {
        loop {
            let before = Instant::now();
            thread::sleep(BEAT);
            if before.elapsed() > BEAT + LATE {
                HELD_UP.fetch_add(1, Ordering::Relaxed);
            }
        }
    })?;
    Ok(())
}

/// Counts what comes as late as that after it was due.
pub(super) fn was_due(at: Instant) {
    if at.elapsed() > LATE {
        HELD_UP.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often this process was held up until now: stopped, as by Ctrl-Z, or on a machine that stood still.
pub(crate) fn held_up() -> usize {
    HELD_UP.load(Ordering::Relaxed)
}

/// The same, after as long as it takes until what has just happened is counted.
pub(crate) fn held_up_by_now() -> usize {
    thread::sleep(2 * BEAT);
    held_up()
}
