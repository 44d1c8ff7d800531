//! The processes of a run: its own, those below it, and those that carry its mark.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use workbook::run::Kept;
use workbook::tracer::file::children;

/// Processes, each with when it was born: a number may become that of another process.
#[derive(Clone, Debug, Default)]
pub struct Processes(BTreeMap<u32, u64>);

impl Processes {
    /// Those of a run that are alive.
    pub fn of(kept: &Kept) -> Self {
        let own = kept.pid().as_raw().cast_unsigned();
        let below = children(own, &[]).into_iter().map(|child| child.pid);
        let marked = kept.others().into_iter().map(|pid| pid.as_raw().cast_unsigned());
        let all = below.chain(marked).chain([own]);
        Self(all.filter_map(|pid| Some((pid, born(pid)?))).collect())
    }

    /// Their numbers.
    pub fn numbers(&self) -> Vec<u32> {
        self.0.keys().copied().collect()
    }

    /// Takes others to them.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Those that still are.
    pub fn alive(&self) -> Vec<u32> {
        let is_alive = |(pid, then): &(&u32, &u64)| born(**pid) == Some(**then);
        self.0.iter().filter(is_alive).map(|(pid, _)| *pid).collect()
    }

    /// Ends those that still are and waits for their end; those that have come to us are not left as zombies, but
    /// for one, which somebody else waits for.
    pub fn end(&self, but: u32) {
        /// What the kernel takes for it is less, but on a busy machine.
        const PATIENCE: Duration = Duration::from_secs(2);

        let until = Instant::now() + PATIENCE;
        for pid in self.alive() {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
        while !self.alive().is_empty() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        for pid in self.0.keys().filter(|pid| **pid != but) {
            let Some(pid) = rustix::process::Pid::from_raw(pid.cast_signed()) else { continue };
            // Most are not ours to wait for.
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }
}

/// When a process was born, in the kernel's ticks, unless it is gone or only waited for.
fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold blanks and brackets.
    let fields: Vec<_> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    (!matches!(fields.first()?.chars().next()?, 'Z' | 'X')).then(|| fields.get(19)?.parse().ok())?
}

/// What a process is called: its number and its command, cut.
pub fn called(pid: u32) -> String {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let command = crate::report::words::plain(command.trim());
    format!("process {pid} ({})", crate::report::words::cut(&command, 60))
}
