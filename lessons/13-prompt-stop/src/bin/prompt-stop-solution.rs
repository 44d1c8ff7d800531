//! Solution: every probe is woken, and each looks at the flag before it waits.

use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let [disks, seconds] = [1, 2].map(|n| env::args().nth(n).unwrap_or_default());
    let time = seconds.parse().map(Duration::try_from_secs_f64);
    let (Ok(disks), Ok(Ok(time))) = (disks.parse(), time) else {
        eprintln!("say how many disks and how many seconds, as in `3 0.5`");
        return ExitCode::FAILURE;
    };
    match watch(disks, time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread for each disk, until the time is over.
fn watch(disks: u32, time: Duration) -> io::Result<()> {
    info!("watching {disks} disks");
    let stop = Arc::new(Stop::default());
    let mut probes = Vec::new();
    for disk in 1..=disks {
        let stop = Arc::clone(&stop);
        let probe = thread::Builder::new()
            .name(format!("probe-{disk}"))
            .spawn(move || probe(disk, &stop))?;
        probes.push(probe);
    }
    thread::sleep(time);
    info!("told to stop");
    stop.tell();
    for probe in probes {
        probe.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    }
    info!("no disk is watched any more");
    Ok(())
}

/// Looks at the disk every 5 s; each look takes a second and is not broken off.
fn probe(disk: u32, stop: &Stop) {
    let start = Instant::now();
    for look in 1.. {
        thread::sleep(Duration::from_secs(1));
        info!("disk {disk} is well");
        if stop.wait_until(start + look * Duration::from_secs(5)) {
            return;
        }
    }
}

#[derive(Default)]
struct Stop {
    told: Mutex<bool>,
    wake: Condvar,
}

// ANCHOR: solution
impl Stop {
    fn tell(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Waits until `next`, or until it is told to stop; says whether it was told.
    fn wait_until(&self, next: Instant) -> bool {
        let left = next.saturating_duration_since(Instant::now());
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // Looks at the flag first, and again whenever it wakes up.
        let wait = self.wake.wait_timeout_while(told, left, |told| !*told);
        let (told, _) = wait.unwrap_or_else(PoisonError::into_inner);
        *told
    }
}
// ANCHOR_END: solution
