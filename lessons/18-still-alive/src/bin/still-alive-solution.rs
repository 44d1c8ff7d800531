//! Solution: a thread has a number in the registry, and signs out in a destructor.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use tracing::info;

/// The files to print: for which printer, and for how many milliseconds.
const FILES: [(&str, u64); 4] =
    [("labels", 500), ("laser", 3000), ("laser", 1000), ("plotter", 0)];

fn main() -> ExitCode {
    lesson_log::init();
    let number = env::args_os().nth(1).unwrap_or_else(|| "1".into());
    let number = number.to_str().and_then(|number| number.parse().ok());
    let Some(damaged) = number.filter(|number| (1..=4).contains(number)) else {
        return lesson_log::failure("which file is damaged? 1, 2, 3 or 4");
    };
    match print_all(damaged) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lesson_log::failure(format_args!("cannot start a thread: {error}"))
        }
    }
}

fn print_all(damaged: usize) -> io::Result<()> {
    info!("file {damaged} is damaged");
    start_watchdog()?;
    for (number, (printer, millis)) in (1..).zip(FILES) {
        start(printer, move || print_file(millis, number == damaged))?;
    }
    let started = names();
    info!("started: {started}");
    LIST_IS_READ.get_or_init(|| ());
    wait_for_all();
    info!("nobody is left to wait for");
    Ok(())
}

fn print_file(millis: u64, is_damaged: bool) {
    assert!(!is_damaged, "the file is damaged");
    thread::sleep(Duration::from_millis(millis));
    info!("printed");
}

// ANCHOR: solution
static ALIVE: Mutex<BTreeMap<u32, &str>> = Mutex::new(BTreeMap::new());
static ONE_HAS_ENDED: Condvar = Condvar::new();

/// Starts a thread that is in the registry for as long as it works.
fn start(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let entry = Entry::new(name);
    spawn_on_a_busy_machine(name, move || {
        // Dropped when `work` returns and when it panics.
        let _entry = entry;
        work();
    })?;
    Ok(())
}

/// The number of a thread: its name may be that of another one, too.
struct Entry(u32);

impl Entry {
    fn new(name: &'static str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        alive().insert(number, name);
        Self(number)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        alive().remove(&self.0);
        ONE_HAS_ENDED.notify_all();
    }
}
// ANCHOR_END: solution

fn wait_for_all() {
    let all_have_ended =
        ONE_HAS_ENDED.wait_while(alive(), |alive| !alive.is_empty());
    drop(all_have_ended.unwrap_or_else(PoisonError::into_inner));
}

fn names() -> String {
    alive().values().copied().collect::<Vec<_>>().join(", ")
}

fn alive() -> MutexGuard<'static, BTreeMap<u32, &'static str>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says after 2 s who is awaited.
fn start_watchdog() -> io::Result<()> {
    thread::Builder::new().name("watchdog".to_owned()).spawn(|| {
        thread::sleep(Duration::from_secs(2));
        let awaited = names();
        info!("still awaited: {awaited}");
    })?;
    Ok(())
}

/// Where a machine is busy, a thread runs some time after it was started. Here none runs before `main`
/// has read the list; but the plotter's has ended before this returns. (Leave this as it is.)
fn spawn_on_a_busy_machine(
    name: &str,
    thread: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let at_once = name == "plotter";
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        if !at_once {
            LIST_IS_READ.wait();
        }
        thread();
    })?;
    while at_once && !thread.is_finished() {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(thread)
}

static LIST_IS_READ: OnceLock<()> = OnceLock::new();
