//! A tracer beside a program: a process apart, which nobody waits for.
//!
//! The program stays the child of whoever starts it, with its id, group, pipes and limits. What is started
//! is this program once more, whose `main` asks [`inside`] first: it makes a tracer of its own, lets it
//! take hold, and becomes the program by `execve`, which is the zero of all times. The tracer is in a session
//! of its own, holds none of the program's pipes, and has the program's environment: whoever ends all that
//! belongs to a run ends it as well. When it ends, whatever ends it, the program goes on as if it had never been
//! there (no `PTRACE_O_EXITKILL`): the run belongs to whoever waits for it.
//!
//! When the program has ended the tracer writes what it saw, which takes a moment longer; [`told`] waits.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{self, Path, PathBuf};
use std::process::{self, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::process::{PTracer, set_ptracer, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use serde::{Deserialize, Serialize};

use super::follow::{News, Tracer};
use super::sys;
use crate::trace::Trace;

/// The first argument of a process that is to become a program with a tracer beside it. The file for what the
/// tracer sees follows, and the program; nothing where it is only asked whether one may trace. An environment
/// variable would have to be taken out again, which sorts the others.
const BESIDE: &str = "a program and a tracer beside it";

/// The program itself, also when its file has been replaced.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// What the tracer says when it has taken hold.
const READY: &str = "ready";

/// What is said where the tracer's file never comes.
pub const SILENT: &str = "the tracer has ended without a word";

/// How long after the program's end its tracer may take: all that is left to do is to write a file.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// The program ran untraced; why, in one line.
    Refused(String),
    Seen(Trace),
}

/// A command that runs a program, with all that is added to it, and a tracer beside it that writes what it sees to
/// a file. Where tracing is refused the program runs all the same, and the file says why.
///
/// To be used by a program whose `main` asks [`inside`] first, in nothing but that.
pub fn command(program: &Path, out: &Path) -> Command {
    let out = path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let mut command = Command::new(THIS_PROGRAM);
    command.arg0("tracer").arg(BESIDE).arg(out).arg(program);
    command
}

/// Whether the system lets a program be traced, found out on a process that ends at once.
///
/// # Errors
///
/// Why not, in one line.
pub fn is_allowed() -> Result<(), String> {
    let asked = Command::new(THIS_PROGRAM)
        .arg0("tracer")
        .arg(BESIDE)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| refused(&error))?;
    match String::from_utf8_lossy(&asked.stdout).trim() {
        READY => Ok(()),
        why => Err(why.to_owned()),
    }
}

/// What the tracer of a program that has ended says in its file, for which this waits, two seconds at most.
///
/// # Errors
///
/// Why there is nothing to tell, in one line.
pub fn told(out: &Path) -> Result<Trace, String> {
    let limit = Instant::now() + PATIENCE;
    let text = loop {
        match fs::read_to_string(out) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            text => break text.map_err(|error| error.to_string())?,
        }
        if Instant::now() > limit {
            return Err(SILENT.to_owned());
        }
        thread::sleep(Duration::from_millis(2));
    };
    match toml::from_str(&text) {
        Ok(Told::Seen(trace)) => Ok(trace),
        Ok(Told::Refused(why)) => Err(why),
        Err(error) => Err(error.message().lines().next().unwrap_or_default().to_owned()),
    }
}

/// What a program does that was started by [`command`]. That is asked before anything else.
pub fn inside() -> Option<ExitCode> {
    let mut words = env::args_os().skip(1);
    words.next().filter(|word| word == BESIDE)?;
    let out = words.next().map(PathBuf::from);
    let pid = process::id();
    let held = match hold(pid) {
        Ok(Held::InTracer) => {
            follow(pid, out.as_deref());
            return Some(ExitCode::SUCCESS);
        }
        Ok(Held::Between) => return Some(ExitCode::SUCCESS),
        Ok(Held::Yes) => Ok(()),
        Ok(Held::No(why)) => Err(why),
        Err(error) => Err(refused(&error)),
    };
    let (Some(out), Some(program)) = (out, words.next()) else {
        // It was only asked.
        let _ = io::stdout().write_all(held.err().as_deref().unwrap_or(READY).as_bytes());
        return Some(ExitCode::SUCCESS);
    };
    if let Err(why) = held {
        // Who waits for the file in vain learns less, and the program is to run.
        let _ = write(&out, &Told::Refused(why));
    }
    Some(become_program(&program, words))
}

/// Gives this process, as it was found, to the program.
fn become_program(program: &OsStr, words: impl Iterator<Item = OsString>) -> ExitCode {
    // The standard library gives it the mask and the SIGPIPE that it gives to all it starts.
    let error = Command::new(program).args(words).exec();
    let _ = writeln!(io::stderr(), "{}: {error}", Path::new(program).display());
    ExitCode::from(127)
}

fn refused(error: &io::Error) -> String {
    format!("the system does not let one process trace another (ptrace): {error}")
}

/// In which of the processes one is, and whether the tracer has taken hold.
enum Held {
    Yes,
    No(String),
    /// In the one that is only there to have the tracer be nobody's child.
    Between,
    InTracer,
}

/// Has a tracer take hold of this process. This returns in three processes.
fn hold(pid: u32) -> io::Result<Held> {
    let (mut own, theirs) = UnixStream::pair()?;
    let Some(between) = sys::fork()? else {
        drop(own);
        return Ok(match sys::fork() {
            Ok(None) if take_hold(pid, theirs).is_ok() => Held::InTracer,
            // What is to be said of it is said by the end of the connection.
            _ => Held::Between,
        });
    };
    drop(theirs);
    // The program is to have no child. Where ends of children are ignored there is none to wait for.
    while waitpid(Pid::from_raw(between.cast_signed()), None) == Err(Errno::EINTR) {}
    let mut id = [0; 4];
    own.read_exact(&mut id)?;
    // Where a process may trace its own children alone, this allows one more. Other systems know no such thing.
    let tracer = rustix::process::Pid::from_raw(i32::from_ne_bytes(id));
    let _ = tracer.map(|tracer| set_ptracer(PTracer::ProcessID(tracer)));
    own.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    own.read_to_string(&mut answer)?;
    Ok(match &*answer {
        READY => Held::Yes,
        "" => Held::No("the tracer has ended".to_owned()),
        _ => Held::No(answer),
    })
}

/// In the tracer: takes hold of a process and says so, or why not.
fn take_hold(pid: u32, mut other: UnixStream) -> io::Result<()> {
    // What a terminal sends to all that runs in it is not for the tracer, nor is the program's directory.
    setsid()?;
    env::set_current_dir("/")?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    other.write_all(&process::id().to_ne_bytes())?;
    // Until it is allowed.
    other.read_to_end(&mut Vec::new())?;
    let is_held = sys::seize_beside(pid).and_then(|()| can_be_seen(pid));
    match &is_held {
        Ok(()) => other.write_all(READY.as_bytes())?,
        Err(error) => other.write_all(refused(error).as_bytes())?,
    }
    is_held
}

/// Whether it can be read what a thread does: by that it is known to end by itself.
pub(super) fn can_be_seen(id: u32) -> io::Result<()> {
    File::open(format!("/proc/{id}/syscall"))?.read(&mut [0; 8]).map(drop)
}

/// In the tracer: follows the program to its end and writes what it did.
fn follow(pid: u32, out: Option<&Path>) {
    // Whoever waits for the end of a pipe waits for the program, not for us.
    sys::close_all_but_streams();
    let seen = || {
        let mut tracer = Tracer::beside(pid)?;
        while tracer.go_on()? != News::Over {}
        Ok(tracer.trace())
    };
    let told = match seen() {
        Ok(trace) => Told::Seen(trace),
        // It goes on as soon as we end.
        Err(error) => Told::Refused(refused(&error)),
    };
    let _ = out.map(|out| write(out, &told));
}

/// Whole or not at all.
fn write(out: &Path, told: &Told) -> io::Result<()> {
    let text = toml::to_string(told).map_err(io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(out.parent().unwrap_or(Path::new("/")))?;
    file.write_all(text.as_bytes())?;
    file.persist(out)?;
    Ok(())
}
