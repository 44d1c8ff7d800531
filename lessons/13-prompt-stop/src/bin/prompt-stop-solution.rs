//! Solution: every probe is woken, and each looks at the flag before it waits.

use std::process::ExitCode;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

#[path = "../busy.rs"]
mod busy;
use busy::{Condvar, Mutex};

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let [disks, seconds] = [(); 2].map(|()| words.next().unwrap_or_default());
    let time = seconds.parse().map(Duration::try_from_secs_f64);
    let (Ok(disks), Ok(Ok(time))) = (disks.parse(), time) else {
        let why = "say how many disks and how many seconds, as in `3 0.5`";
        return lesson_log::failure(why);
    };
    match watch(disks, time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// One thread for each disk, until the time is over.
fn watch(disks: u32, time: Duration) -> Result<(), String> {
    info!("watching {disks} disks");
    let stop = Arc::new(Stop::default());
    let mut probes = Vec::new();
    let mut started = Ok(());
    for disk in 1..=disks {
        let stop = Arc::clone(&stop);
        let name = format!("probe-{disk}");
        match thread::Builder::new().name(name).spawn(move || probe(disk, &stop)) {
            Ok(probe) => probes.push(probe),
            // Those that run already are told and joined as well.
            Err(error) => {
                started =
                    Err(format!("cannot start the thread probe-{disk}: {error}"));
                break;
            }
        }
    }
    if started.is_ok() {
        busy::sleep(time);
    }
    info!("told to stop");
    let told = Instant::now();
    stop.tell();
    busy::all_are_told();
    // All of them, before a panic of one goes on.
    let ends: Vec<_> = probes.into_iter().map(JoinHandle::join).collect();
    info!("they ended {:.2} s after they were told", told.elapsed().as_secs_f64());
    if let Some([waits, yields, time]) = busy::cost() {
        info!("their threads waited {waits} times, gave way {yields} times");
        info!("and took {time} ms of a processor");
    }
    if let Some(payload) = ends.into_iter().find_map(Result::err) {
        panic::resume_unwind(payload);
    }
    info!("no disk is watched any more");
    started
}

/// Looks at the disk every 4 s; each look takes a second and is not broken off.
fn probe(disk: u32, stop: &Stop) {
    let start = Instant::now();
    for look in 1.. {
        busy::look();
        info!("disk {disk} is well");
        if stop.wait_until(start + look * Duration::from_secs(4)) {
            break;
        }
    }
    info!("disk {disk} is left alone");
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
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let left = next.saturating_duration_since(Instant::now());
        // Looks at the flag first, and again whenever it wakes up.
        let wait = self.wake.wait_timeout_while(told, left, |told| !*told);
        let (told, _) = wait.unwrap_or_else(PoisonError::into_inner);
        *told
    }
}
// ANCHOR_END: solution
