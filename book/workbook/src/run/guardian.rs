//! Nothing outlives this process, whatever ends it, SIGKILL included.
//!
//! A second process, the guardian, is told each process group that begins and that is over. It waits
//! for the end of the pipe on which it is told, which the system closes however this process ends;
//! then it ends what is left and removes the directories of the runs. It is this program once more,
//! or another that asks [`inside`]: a signal that the parent's death sends would come when the
//! *thread* ends that has started the program.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{FORBIDDEN, SIGBUS};
use tempfile::TempDir;
use walkdir::WalkDir;

use super::leftover::{BUILD, MARK, sweep};
use super::{place, pulse, signals};
use crate::tracer::beside;

/// Set to the mark of the process that it guards where a program is a guardian.
const GUARDS: &str = "WORKBOOK_GUARDIAN";

/// The program itself, also when its file has been replaced.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// What the runs of this process carry in their environment: its id, and a number that no earlier
/// process of that id has had.
static OWN_MARK: LazyLock<String> = LazyLock::new(|| {
    let number = RandomState::new().hash_one(process::id()) as u32;
    format!("{}-{number:08x}-", process::id())
});

static GUARDIAN: OnceLock<Guardian> = OnceLock::new();

struct Guardian {
    told: Mutex<ChildStdin>,
    /// Where the runs have their directories.
    directory: PathBuf,
}

/// What the marks of all runs of this process begin with.
pub(super) fn own_mark() -> &'static str {
    &OWN_MARK
}

/// Has what this process starts end with it, however it ends. Signals that were ignored or blocked
/// when it began are not so in what it starts.
///
/// The guardian is this program, whose `main` asks [`inside`] first; `other` is one that does so in
/// the place of a program that cannot.
///
/// # Errors
///
/// If the guardian cannot be started or the system refuses a handler of signals.
pub fn end_with_this_process(other: Option<&Path>) -> io::Result<()> {
    signals::take()?;
    end_runs_with_this_process(other)
}

/// The same for a process that handles its signals itself. A second call does nothing.
///
/// # Errors
///
/// If the guardian cannot be started.
pub fn end_runs_with_this_process(other: Option<&Path>) -> io::Result<()> {
    // A second guardian would end what the first one guards.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if GUARDIAN.get().is_some() {
        return Ok(());
    }
    pulse::begin()?;
    let directory = place::directory()?;
    let mut child = Command::new(other.unwrap_or(Path::new(THIS_PROGRAM)))
        // Whoever ends processes by the name of the check does not mean this one.
        .arg0("guardian")
        .arg(directory.path())
        .env(GUARDS, own_mark())
        // Or the guardian of a check in which this one runs would end it.
        .env_remove(MARK)
        .env_remove(BUILD)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (told, answer) = (child.stdin.take(), child.stdout.take());
    let (Some(told), Some(mut answer)) = (told, answer) else { return Ok(()) };
    if answer.read(&mut [0])? == 0 {
        return Err(io::Error::other("the guardian has ended"));
    }
    let guardian = Guardian { told: Mutex::new(told), directory: directory.keep() };
    let _ = GUARDIAN.set(guardian);
    Ok(())
}

/// A directory for a run, removed with the value, or with this process.
pub fn temporary_directory() -> io::Result<TempDir> {
    match GUARDIAN.get() {
        Some(guardian) => tempfile::tempdir_in(&guardian.directory),
        None => tempfile::tempdir(),
    }
}

/// Has a command, which is no run, end with this process unless [`all_is_over`] was called: a build,
/// which may leave a process behind that others use.
pub fn ends_with_this_process(command: &mut Command) -> &mut Command {
    command.env(BUILD, own_mark())
}

/// Tells the guardian that this process ends as it should.
pub fn all_is_over() {
    tell("over");
    if let Some(guardian) = GUARDIAN.get() {
        remove(&guardian.directory);
    }
}

/// Tells the guardian of a process group.
pub(super) fn begins(group: Pid) {
    tell(&format!("+{group}"));
}

/// Takes a group from its list. This is told before the leader is waited for: then the number may
/// become that of another group.
pub(super) fn is_over(group: Pid) {
    tell(&format!("-{group}"));
}

fn tell(what: &str) {
    let Some(guardian) = GUARDIAN.get() else { return };
    let mut told = guardian.told.lock().unwrap_or_else(PoisonError::into_inner);
    // Without a guardian the run is as good as with one.
    let _ = told.write_all(format!("{what}\n").as_bytes());
}

/// What a program does where it is the guardian of another process, or one with a tracer beside it. That is
/// asked before anything else.
pub fn inside() -> Option<ExitCode> {
    if let Some(code) = beside::inside() {
        return Some(code);
    }
    let mark = env::var(GUARDS).ok()?;
    let directory = env::args_os().nth(1).map(PathBuf::from);
    Some(match guard(&mark, directory.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn guard(mark: &str, directory: Option<&Path>) -> io::Result<()> {
    // What a terminal sends to all that runs in it is not for the guardian.
    rustix::process::setsid()?;
    let ignored = Arc::new(AtomicBool::new(false));
    for signal in Signal::iterator().map(|signal| signal as i32) {
        if !FORBIDDEN.contains(&signal) && signal != SIGBUS {
            signal_hook::flag::register(signal, Arc::clone(&ignored))?;
        }
    }
    println!("ready");
    let (mut groups, mut is_over) = (BTreeSet::new(), false);
    for line in io::stdin().lines().map_while(Result::ok) {
        let group = |number: &str| number.parse().map(Pid::from_raw);
        match (line.strip_prefix('+').map(group), line.strip_prefix('-').map(group)) {
            (Some(Ok(group)), _) => drop(groups.insert(group)),
            (_, Some(Ok(group))) => drop(groups.remove(&group)),
            _ => is_over |= line == "over",
        }
    }
    for group in groups {
        let _ = killpg(group, Signal::SIGKILL);
    }
    let marks: &[&str] = if is_over { &[MARK] } else { &[MARK, BUILD] };
    sweep(marks, mark);
    directory.into_iter().for_each(remove);
    Ok(())
}

/// Removes a directory, also one whose owner has taken the right to do so from itself.
fn remove(directory: &Path) {
    if fs::remove_dir_all(directory).is_ok() {
        return;
    }
    for entry in WalkDir::new(directory).into_iter().flatten() {
        if entry.file_type().is_dir() {
            let _ = fs::set_permissions(entry.path(), Permissions::from_mode(0o700));
        }
    }
    let _ = fs::remove_dir_all(directory);
}
