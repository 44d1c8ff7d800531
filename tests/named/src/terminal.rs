//! A terminal that a test opens, and closes.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::self_check::guarded;

/// A command in a terminal of its own.
pub struct Terminal {
    process: Child,
    keys: Option<ChildStdin>,
}

impl Terminal {
    /// Starts it.
    pub fn open(command: &Command) -> io::Result<Self> {
        let script = "\
            import os, pty, select, sys\n\
            pid, terminal = pty.fork()\n\
            if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n\
            print(pid, flush=True)\n\
            while True:\n\
            \x20   ready = select.select([0, terminal], [], [])[0]\n\
            \x20   try:\n\
            \x20       if terminal in ready and not os.read(terminal, 65536): break\n\
            \x20   except OSError: break\n\
            \x20   if 0 in ready:\n\
            \x20       keys = os.read(0, 64)\n\
            \x20       if keys in (b'', b'close'): break\n\
            \x20       os.write(terminal, keys)\n";
        let mut python = guarded("python3");
        python.args(["-c", script]).arg(command.get_program()).args(command.get_args());
        with_variables_of(command, &mut python).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = python.spawn()?;
        let keys = process.stdin.take();
        Ok(Self { process, keys })
    }

    /// The process that it runs.
    pub fn runs(&mut self) -> io::Result<u32> {
        let mut line = String::new();
        let stdout = self.process.stdout.as_mut().ok_or_else(none)?;
        BufReader::new(stdout).read_line(&mut line)?;
        line.trim().parse().map_err(io::Error::other)
    }

    /// Presses keys; `close` closes the terminal.
    pub fn press(&mut self, keys: &[u8]) -> io::Result<()> {
        self.keys.as_mut().ok_or_else(none)?.write_all(keys)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.keys = None;
        let _ = self.process.wait();
    }
}

fn none() -> io::Error {
    io::Error::other("the terminal has no pipe")
}

/// A command that runs another, with the environment that was set for that one.
pub fn with_variables_of<'a>(other: &Command, command: &'a mut Command) -> &'a mut Command {
    command.envs(other.get_envs().filter_map(|(name, value)| Some((name, value?))))
}
