//! Runs a program as a scenario says and tells what happened.
//!
//! The program runs directly, never through cargo: in a process group and a directory of its own,
//! with a fixed environment. Every run has a deadline; at the end of the run its process group is
//! ended, whatever is left of it.

pub mod client;
mod gate;
mod leftover;
mod watch;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::promise::Run;
use crate::promise::judge::Ran;
use client::Clients;
pub use gate::{Expected, Gate, Pass};
use leftover::{MARK, end_others, in_words, left_of, new_mark, settle, under_way};
pub use leftover::{end_with_this_process, leftovers};
use watch::Watch;

/// How long after its promised end a program is ended as hanging: long enough that most wrong
/// programs end by themselves and are told apart from those that hang.
pub const HANGS: Duration = Duration::from_secs(6);

/// How many files the check asks to have open.
const FILES: u64 = 1 << 14;

/// Runs a command in a directory as a run says: with its arguments added, its signals, its end.
///
/// `gate` and `length` say when it may start.
///
/// # Errors
///
/// If the program cannot be started or the system refuses to tell about it.
pub fn run(
    mut command: Command,
    directory: &Path,
    run: &Run,
    gate: &Gate,
    length: Duration,
) -> io::Result<Ran> {
    let mark = new_mark();
    let temporary = tempfile::tempdir()?;
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

    raise_limit();
    let clients = Clients::new(run)?;
    let pass = gate.enter(length);
    // Read before the start: under load the call returns long after the program runs.
    let start = Instant::now();
    let mut child = command.spawn()?;
    let started = Instant::now();
    let mut watch = Watch::new(&mut child, clients, run, start, started, pass)?;
    under_way().insert(watch.pid);
    let end = watch.until_the_end();
    under_way().remove(&watch.pid);
    let end = end?;

    let is_its_own = end.is_its_own();
    let left_behind =
        if is_its_own { settle(|| left_of(&mark), Vec::is_empty) } else { Vec::new() };
    let left_behind: Vec<_> = left_behind.into_iter().map(in_words).collect();
    watch.end_group()?;
    if !left_behind.is_empty() || !is_its_own {
        end_others(&mark);
    }
    watch.take_the_rest()?;
    let temporary = if is_its_own { names_in(temporary.path())? } else { Vec::new() };
    Ok(Ran {
        end,
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

/// Lets this process open more files, as far as the system grants them. The usual limit is 1024, and
/// hundreds of programs are under way together, with three each.
fn raise_limit() {
    static RAISED: Once = Once::new();
    RAISED.call_once(|| {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < FILES) {
            let current = Some(maximum.map_or(FILES, |maximum| FILES.min(maximum)));
            // If it is refused there may still be enough.
            let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
        }
    });
}

/// The names of what is in a directory.
fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    fs::read_dir(directory)?.map(|entry| entry.map(name)).collect()
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
