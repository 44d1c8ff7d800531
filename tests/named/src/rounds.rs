//! Many runs at the same time, which mostly sleep, and what keeps the machine busy beside them.

use std::env;
use std::io;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use libtest_mimic::{Completion, Failed};
use workbook::programs::on_path;
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

/// A test that is ignored where one of the programs is missing that it needs. As often as the environment
/// variable `times` says it is tried, every second time beside busy loops.
///
/// # Errors
///
/// What the test says, for each time that it fails.
pub fn try_often(
    times: &str,
    name: &str,
    needs: &[&str],
    test: impl Fn() -> Result<(), Failed>,
) -> Result<Completion, Failed> {
    if let Some(tool) = needs.iter().find(|tool| on_path(tool).is_none()) {
        return Ok(Completion::ignored_with(format!("there is no {tool}")));
    }
    let Ok(said) = env::var(times) else { return test().map(|()| Completion::Completed) };
    let times: usize = said.parse().map_err(|_| format!("{times}={said}: not a number"))?;
    let mut failures = Vec::new();
    for time in 0..times {
        let _loops = (time % 2 == 1).then(busy).transpose()?;
        if let Err(failed) = test() {
            let load = if time % 2 == 1 { ", under load" } else { "" };
            let said = failed.message().unwrap_or("it failed").to_owned();
            failures.push(format!("{} of {times}{load}: {said}", time + 1));
        }
    }
    println!("{name}: {} of {times} were right", times - failures.len());
    if failures.is_empty() { Ok(Completion::Completed) } else { Err(failures.join("\n").into()) }
}

/// Keeps the machine busy, with all others who ask for it, until the last of them lets go.
fn busy() -> io::Result<Arc<Busy>> {
    /// The busy loops, of which there are never more than one set.
    static LOOPS: Mutex<Weak<Busy>> = Mutex::new(Weak::new());
    let mut loops = LOOPS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loops) = loops.upgrade() {
        return Ok(loops);
    }
    let started = Arc::new(Busy::start()?);
    *loops = Arc::downgrade(&started);
    Ok(started)
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
