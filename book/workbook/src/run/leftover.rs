//! What is left of a run when it is over: processes that have outlived it.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::guardian::own_mark;

/// How long the check waits for what a moment should settle: the last bytes in a pipe, a child
/// process that is about to end.
pub(super) const SETTLES: Duration = Duration::from_millis(500);

/// The environment variable that marks the processes of a run, also those that leave its group. A
/// process that drops its environment and its group at once is not found.
pub(super) const MARK: &str = "WORKBOOK_RUN";

/// The one that marks what belongs to no run, as a build.
pub(super) const BUILD: &str = "WORKBOOK_BUILD";

/// A process that is about to become another program has no environment for a moment, and one that ends
/// as it starts the next one is gone when its turn comes: so nothing has to be found several times.
const SWEEPS: u32 = 5;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(10);

/// When to give up on what begins anew as fast as it is ended.
const GIVES_UP: Duration = Duration::from_secs(30);

/// The programs under way. They are not searched for what other runs have left: with hundreds of
/// them that would cost more than they do.
static UNDER_WAY: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// The processes that still run though their run is over, from the check of this process.
pub fn leftovers() -> Vec<String> {
    let left = settle(|| left_of(own_mark()), Vec::is_empty);
    left.into_iter().map(in_words).collect()
}

pub(super) fn under_way() -> MutexGuard<'static, BTreeSet<Pid>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends what has left the group of a run, unless it is about to end by itself, as a tracer does.
pub(super) fn end_others(mark: &str) {
    if !settle(|| left_of(mark), Vec::is_empty).is_empty() {
        sweep(&[MARK], mark);
    }
}

/// Ends all processes whose mark, in one of these variables of their environment, begins like this, and
/// those that they start meanwhile.
pub(super) fn sweep(variables: &[&str], mark: &str) {
    let (start, mut empty) = (Instant::now(), 0);
    while empty < SWEEPS && start.elapsed() < GIVES_UP {
        empty += 1;
        // The newest first, which are the last in /proc: whoever starts the next one is among them.
        let processes: Vec<_> = processes().collect();
        for pid in processes.into_iter().rev() {
            if mark_of(pid, variables, mark).is_some() {
                // At once: it may be about to start the next one.
                let _ = kill(pid, Signal::SIGKILL);
                empty = 0;
            }
        }
        if empty > 0 {
            thread::sleep(BETWEEN_SWEEPS);
        }
    }
}

/// Asks until the answer is as wanted or time is up; gives the last answer.
pub(super) fn settle<T>(ask: impl Fn() -> T, is_wanted: impl Fn(&T) -> bool) -> T {
    let limit = Instant::now() + SETTLES;
    loop {
        let answer = ask();
        if is_wanted(&answer) || Instant::now() >= limit {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

pub(super) fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}{}.", own_mark(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What is left of runs whose mark begins like this, with the command line of each.
pub(super) fn left_of(mark: &str) -> Vec<(Pid, String)> {
    let others = under_way().clone();
    let left = carriers(&[MARK], mark, &others).into_iter();
    left.map(|pid| (pid, command_line(pid))).collect()
}

pub(super) fn in_words((pid, line): (Pid, String)) -> String {
    format!("{line} (process {pid})")
}

/// The processes, but for some, whose mark, in one of these variables of their environment, begins
/// like this. A zombie counts as gone: its environment is empty. Without /proc nothing is found.
pub(super) fn carriers(variables: &[&str], mark: &str, but: &BTreeSet<Pid>) -> Vec<Pid> {
    let pids = processes().filter(|pid| !but.contains(pid));
    pids.filter(|pid| mark_of(*pid, variables, mark).is_some()).collect()
}

/// All processes, as /proc lists them.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
}

/// The mark of a process, in one of these variables of its environment, if it begins like this.
pub(super) fn mark_of(pid: Pid, variables: &[&str], beginning: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|variable| {
        let (name, mark) = str::from_utf8(variable).ok()?.split_once('=')?;
        (variables.contains(&name) && mark.starts_with(beginning)).then(|| mark.to_owned())
    })
}

/// The command line of a process, its program without directories. (The kernel's own name for it,
/// `comm`, is cut at 15 bytes.)
pub(super) fn command_line(pid: Pid) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let (program, arguments) = line.split_once('\0').unwrap_or((&*line, ""));
    let program = program.rsplit('/').next().unwrap_or_default();
    format!("{program} {}", arguments.replace('\0', " ")).trim_end().to_owned()
}
