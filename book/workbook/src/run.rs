//! Runs a program as a scenario says and tells what happened.
//!
//! The program runs directly, never through cargo: in a process group and a directory of its own,
//! with a fixed environment. Every run has a deadline; at the end of the run its process group is
//! ended, whatever is left of it.

pub mod client;
mod gate;
mod guardian;
mod kept;
mod leftover;
mod place;
mod pulse;
mod room;
mod signals;
mod watch;

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::promise::judge::Ran;
use crate::promise::{Run, Stream, When};
use client::Clients;
pub use gate::{Expected, Gate, Pass};
pub use guardian::{
    all_is_over, end_runs_with_this_process, end_with_this_process, ends_with_this_process, inside,
    temporary_directory,
};
pub use kept::Kept;
pub use leftover::leftovers;
use leftover::{MARK, SETTLES, end_others, in_words, left_of, new_mark, settle, sweep, under_way};
pub(crate) use pulse::{held_up, held_up_by_now};
pub use room::{AT_ONCE, Room, room};
pub use watch::MOST_OUTPUT;
use watch::Watch;

/// How long after its promised end a program is ended as hanging: long enough that most wrong
/// programs end by themselves and are told apart from those that hang.
pub const HANGS: Duration = Duration::from_secs(6);

/// How long a run waits for what the system has no room for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many files the check asks to have open.
const FILES: u64 = 1 << 14;

/// Who looks on while a program runs. It is told by the thread that watches the program, and what it
/// does with it has to be done soon.
pub trait Observer: Send + Sync + fmt::Debug {
    /// The program has started, as the leader of a process group; it has this directory for temporary
    /// files.
    fn started(&self, _group: Pid, _temporary: &Path) {}
    /// It has printed something; this is all that it has printed so far.
    fn printed(&self, _stdout: &[u8], _stderr: &[u8]) {}
    /// It got a signal that its run says.
    fn sent(&self, _signal: Signal) {}
    /// It has ended, and its number may become that of another process.
    fn ended(&self) {}
}

/// What is started for a run.
#[derive(Debug)]
pub struct Start {
    /// The program.
    pub command: Command,
    /// What nobody reads, a pipe without a reader: from the start, as with `| true`; or, where a signal or
    /// a request follows what it prints, from the last such line on, as with `| head -1`.
    pub unread: &'static [Stream],
    /// Who looks on, if anybody does.
    pub observer: Option<Arc<dyn Observer>>,
}

impl From<Command> for Start {
    /// All that it prints is read.
    fn from(command: Command) -> Self {
        Self { command, unread: &[], observer: None }
    }
}

/// Runs a command in a directory as a run says: with its arguments added, its signals, its end.
///
/// `gate` and `length` say when it may start.
///
/// # Errors
///
/// If the program cannot be started or the system refuses to tell about it.
pub fn run(
    start: impl Into<Start>,
    directory: &Path,
    run: &Run,
    gate: &Gate,
    length: Duration,
) -> io::Result<Ran> {
    let Start { mut command, unread, observer } = start.into();
    let mark = new_mark();
    let temporary = temporary_directory()?;
    command
        .args(&run.args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        // A backtrace makes the first panic 60 ms longer, which changes what other threads reach.
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUST_LOG")
        // It would hide that Python loses what it has not flushed.
        .env_remove("PYTHONUNBUFFERED")
        .env("NO_COLOR", "1")
        .env("TMPDIR", temporary.path())
        .env(MARK, &mark);

    let is_followed = run.requests().next().is_some()
        || run.send.iter().any(|send| matches!(send.when, When::After(_)));
    if !is_followed {
        for stream in unread {
            // Its other end is gone at once.
            let (_, dead) = io::pipe()?;
            match stream {
                Stream::Stdout => command.stdout(dead),
                Stream::Stderr => command.stderr(dead),
            };
        }
    }

    set_limits();
    let clients = patiently(|| Clients::new(run))?;
    let pass = gate.enter(length);
    let (start, mut child) = patiently(|| {
        // Read before the start: under load the call returns long after the program runs.
        let start = Instant::now();
        Ok((start, command.spawn()?))
    })?;
    let started = Instant::now();
    let pid = Pid::from_raw(child.id().cast_signed());
    guardian::begins(pid);
    signals::started(pid, &mark);
    let mut watch = Watch::new(&mut child, clients, run, start, started, pass);
    watch.unread = unread;
    watch.observer = observer;
    if let Some(observer) = &watch.observer {
        observer.started(pid, temporary.path());
    }
    under_way().insert(pid);
    let end = watch.until_the_end();
    under_way().remove(&pid);
    // Whatever the error is, it must not go on.
    let end = end.inspect_err(|_| {
        let _ = killpg(pid, Signal::SIGKILL);
    })?;

    let is_its_own = end.is_its_own();
    let left_behind =
        if is_its_own { settle(|| left_of(&mark), Vec::is_empty) } else { Vec::new() };
    let left_behind: Vec<_> = left_behind.into_iter().map(in_words).collect();
    watch.end_group()?;
    if !left_behind.is_empty() || !is_its_own {
        end_others(&mark);
    }
    if watch.observer.is_some() {
        // What is seen at one look but not at another may go on for as long as whoever looks on is there.
        sweep(&[MARK], &mark);
    }
    watch.take_the_rest()?;
    // One that has removed it has left nothing there.
    let temporary = names_in(temporary.path()).ok().filter(|_| is_its_own).unwrap_or_default();
    guardian::is_over(pid);
    if let Some(observer) = &watch.observer {
        observer.ended();
    }
    Ok(Ran {
        end,
        signals: signals::sent_by(&mark),
        exit: child.wait()?.into(),
        silent: watch.silent,
        unsent: watch.unsent(),
        asked: watch.asked,
        stdout: watch.stdout.bytes,
        stderr: watch.stderr.bytes,
        left_behind,
        temporary,
        directory: directory.to_owned(),
    })
}

/// Lets this process open more files, as far as the system grants them: the usual limit is 1024, and
/// hundreds of programs are under way together, with three each. And lets what it starts leave no
/// `core` where it is ended by a signal.
fn set_limits() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < FILES) {
            let current = Some(maximum.map_or(FILES, |maximum| FILES.min(maximum)));
            // If it is refused there may still be enough.
            let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
        }
        let core = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
        let _ = setrlimit(Resource::Core, core);
    });
}

/// Tries again for a while what the system has no room for: other runs end meanwhile.
fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match act() {
            Err(error) if is_for_want_of_room(&error) && Instant::now() < limit => {
                thread::sleep(SETTLES);
            }
            result => return result,
        }
    }
}

fn is_for_want_of_room(error: &io::Error) -> bool {
    let missing = [Errno::EAGAIN, Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|code| missing.contains(&Errno::from_raw(code)))
}

/// The names of what is in a directory.
fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    fs::read_dir(directory)?.map(|entry| entry.map(name)).collect()
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
