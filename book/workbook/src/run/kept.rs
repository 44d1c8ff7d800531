//! A program that runs until whoever has started it ends it.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use tempfile::TempDir;

use super::leftover::{MARK, carriers, new_mark, sweep, under_way};
use super::{guardian, patiently, set_limits, signals, temporary_directory};
use crate::promise::Exit;

/// How long its last processes may take to go once they are killed.
const GOES: Duration = Duration::from_millis(2);

/// A program that was started, in a process group of its own. With the value it ends, and what it started.
#[derive(Debug)]
pub struct Kept {
    child: Child,
    pid: Pid,
    mark: String,
    temporary: TempDir,
}

impl Kept {
    /// Starts a command, with a directory of its own for temporary files.
    ///
    /// # Errors
    ///
    /// If the program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mark = new_mark();
        let temporary = temporary_directory()?;
        command.process_group(0).env("TMPDIR", temporary.path()).env(MARK, &mark);
        set_limits();
        let child = patiently(|| command.spawn())?;
        let pid = Pid::from_raw(child.id().cast_signed());
        guardian::begins(pid);
        signals::started(pid, &mark);
        under_way().insert(pid);
        Ok(Self { child, pid, mark, temporary })
    }

    /// Its process, which leads the group.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Its directory for temporary files.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// What it prints, where that is a pipe: once.
    pub fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// How it ended, if it has. Its number stays its own.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn ended(&self) -> io::Result<Option<Exit>> {
        let Some(pid) = rustix::process::Pid::from_raw(self.pid.as_raw()) else { return Ok(None) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid), options)?;
        let exit = status.and_then(|status| match status.exit_status() {
            Some(code) => Some(Exit::Code(code)),
            None => status.terminating_signal().map(Exit::Signal),
        });
        Ok(exit)
    }

    /// The other processes of this run that carry its mark, wherever they have gone.
    pub fn others(&self) -> Vec<Pid> {
        carriers(&[MARK], &self.mark, &BTreeSet::from([self.pid]))
    }

    /// Whether a process carries the mark of this run.
    pub fn is_of_this_run(&self, pid: Pid) -> bool {
        pid == self.pid || super::leftover::mark_of(pid, &[MARK], &self.mark).is_some()
    }

    /// SIGKILL to its group.
    pub fn kill(&self) {
        let _ = killpg(self.pid, Signal::SIGKILL);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
        // Before its number may become another group's.
        guardian::is_over(self.pid);
        under_way().remove(&self.pid);
        let _ = self.child.wait();
        if !self.others().is_empty() {
            thread::sleep(GOES);
            if !self.others().is_empty() {
                sweep(&[MARK], &self.mark);
            }
        }
    }
}
