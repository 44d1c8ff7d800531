//! The interpreter that runs the twins.

use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use workbook::promise::PythonVersion;
use workbook::run::ends_with_this_process;

/// The version that the twins of most lessons need.
pub const OLDEST: PythonVersion = PythonVersion(3, 6);

/// How long it may take to say which it is.
const PATIENCE: Duration = Duration::from_secs(4);

/// An answer is shorter than this.
const LONGEST: u64 = 1 << 14;

/// The interpreter that runs the twins.
pub struct Python {
    /// Its own path.
    pub executable: PathBuf,
    /// Which Python it is.
    pub version: PythonVersion,
}

/// Asks `python3` once for itself: a version manager's shim would cost 0.1 s at every start.
pub fn find() -> Result<Python, String> {
    let question = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let mut command = Command::new("python3");
    // In a group of its own: a shim that waits is ended with what it waits for.
    ends_with_this_process(&mut command).process_group(0);
    let mut child = command
        .args(["-I", "-S", "-c", question])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no python3".to_owned(),
            _ => format!("python3 cannot be run: {error}"),
        })?;
    let stdout = child.stdout.take().ok_or("python3 has no output")?;
    let (sender, answer) = mpsc::channel();
    // Where there is no room for a thread, there is no answer.
    let _ = thread::Builder::new().name("python's answer".to_owned()).spawn(move || {
        let mut text = String::new();
        let read = stdout.take(LONGEST).read_to_string(&mut text);
        let _ = sender.send(read.map(|_| text));
    });
    let answer = answer.recv_timeout(PATIENCE);
    let has_answered = answer.is_ok();
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
    let _ = child.wait();
    if !has_answered {
        return Err(format!("python3 does not say its version within {} s", PATIENCE.as_secs()));
    }
    let text = answer.map(Result::unwrap_or_default).unwrap_or_default();
    let version = match text.lines().collect::<Vec<_>>()[..] {
        [executable, version] => version.parse().ok().map(|version| (executable, version)),
        _ => None,
    };
    let (executable, version) = version.ok_or("python3 does not run, or is none")?;
    Ok(Python { executable: executable.into(), version })
}
