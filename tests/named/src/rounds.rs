//! Many runs at the same time, which mostly sleep, and what keeps the machine busy beside them.

use std::io;
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::thread;

use workbook::run::{Gate, room};

use crate::self_check::guarded;

/// Does the same with each, in this order: `most` at the same time, or as many as this machine has room
/// for. The gate lets their programs start.
///
/// # Errors
///
/// In words, what there is too little of.
pub fn all_at_once<T: Sync, R: Send>(
    each: &[T],
    most: usize,
    act: impl Fn(&T, &Gate) -> R + Sync,
) -> Result<Vec<R>, String> {
    let threads = each.len().min(most).min(room()?.programs);
    let gate = Gate::new();
    gate.expect(threads);
    let (next, done) = (Mutex::new(each.iter().enumerate()), Mutex::new(Vec::new()));
    let work = || {
        let _expected = gate.expected();
        loop {
            let one = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, one)) = one else { return };
            let result = act(one, &gate);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    let mut started = 0;
    thread::scope(|scope| {
        for number in 0..threads {
            let builder = thread::Builder::new().name(format!("run {number}"));
            match builder.spawn_scoped(scope, work) {
                Ok(_) => started += 1,
                // Those that are there do it all.
                Err(_) => drop(gate.expected()),
            }
        }
    });
    if started == 0 && !each.is_empty() {
        return Err("no thread can be started for a run".to_owned());
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Four times as many loops as there are cores, until this is dropped.
pub struct Busy(Vec<Child>);

impl Busy {
    /// Starts them; they end with this process, too.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut loops = Self(Vec::new());
        for _ in 0..4 * cores {
            loops.0.push(guarded("sh").args(["-c", "while :; do :; done"]).spawn()?);
        }
        Ok(loops)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
