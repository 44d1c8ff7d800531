//! What is left of a run when it is over: processes that have outlived it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// How long the check waits for what a moment should settle: the last bytes in a pipe, a child
/// process that is about to end.
pub(super) const SETTLES: Duration = Duration::from_millis(500);

/// The environment variable that marks the processes of a run, also those that leave its group. A
/// process that drops its environment and its group at once is not found.
pub(super) const MARK: &str = "WORKBOOK_RUN";

/// The programs under way. They are not searched for what other runs have left: with hundreds of
/// them that would cost more than they do.
static UNDER_WAY: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// The processes that still run though their run is over, from the check of this process.
pub fn leftovers() -> Vec<String> {
    let left = settle(|| left_of(&mark_of_this_process()), Vec::is_empty);
    left.into_iter().map(in_words).collect()
}

/// Ends what is under way and this process when it gets SIGINT or SIGTERM. Programs in a group of
/// their own would outlive it.
///
/// # Errors
///
/// If the system refuses the handler.
pub fn end_with_this_process() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            for (pid, _) in marked(&mark_of_this_process(), &BTreeSet::new()) {
                let _ = kill(pid, Signal::SIGKILL);
            }
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

pub(super) fn under_way() -> MutexGuard<'static, BTreeSet<Pid>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends what has left the group of a run, unless it is about to end by itself, as a tracer does.
pub(super) fn end_others(mark: &str) {
    for (pid, _) in settle(|| left_of(mark), Vec::is_empty) {
        let _ = kill(pid, Signal::SIGKILL);
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

fn mark_of_this_process() -> String {
    format!("{}-", std::process::id())
}

pub(super) fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}{}.", mark_of_this_process(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What is left of runs whose mark begins like this.
pub(super) fn left_of(mark: &str) -> Vec<(Pid, String)> {
    let others = under_way().clone();
    marked(mark, &others)
}

pub(super) fn in_words((pid, line): (Pid, String)) -> String {
    format!("{line} (process {pid})")
}

/// The processes, but for some, whose environment holds a mark that begins like this, by command
/// line. A zombie counts as gone: its environment is empty. Without /proc nothing is found.
fn marked(mark: &str, but: &BTreeSet<Pid>) -> Vec<(Pid, String)> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
            if but.contains(&pid) {
                return None;
            }
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            variables.find(|variable| variable.starts_with(wanted.as_bytes()))?;
            Some((pid, command_line(&entry.path())))
        })
        .collect()
}

/// The command line of a process with this directory in /proc, its program without directories.
/// (The kernel's own name for it, `comm`, is cut at 15 bytes.)
fn command_line(process: &Path) -> String {
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let (program, arguments) = line.split_once('\0').unwrap_or((&*line, ""));
    let program = program.rsplit('/').next().unwrap_or_default();
    format!("{program} {}", arguments.replace('\0', " ")).trim_end().to_owned()
}
