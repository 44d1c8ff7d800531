//! What the kernel tells of processes and threads below `/proc`.

use std::fs::{self, File};
use std::io::Read;

/// The beginning of a file below `/proc`, up to 4 KiB, by one `read`: the kernel gives as much as there is, and to ask
/// for more would cost the thread that stands still meanwhile as much again.
pub(crate) fn small(path: &str) -> Option<String> {
    let mut bytes = [0; 4096];
    let read = File::open(path).ok()?.read(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

/// The kernel's name of a thread or of a process, 15 bytes at most; none if it is gone.
pub fn name_of(id: u32) -> Option<String> {
    let name = small(&format!("/proc/{id}/comm"))?;
    Some(name.trim_end_matches('\n').to_owned())
}

/// The signals that this process ignores: bit 0 is signal 1.
pub fn ignored() -> u64 {
    // Whole: before the mask stand all groups of the user.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// The lines of a `status` file.
pub(crate) struct Status(String);

impl Status {
    /// That of a process, or of a thread.
    pub(crate) fn of(id: u32) -> Option<Self> {
        small(&format!("/proc/{id}/status")).map(Self)
    }

    /// The first number of a line.
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix(':')?.to_owned());
        self.0.lines().find_map(value)?.split_whitespace().next()?.parse().ok()
    }

    /// A set of signals: bit 0 is signal 1. None if the groups of the user fill the beginning of the file.
    pub(crate) fn mask(&self, key: &str) -> Option<u64> {
        let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix(':')?.to_owned());
        u64::from_str_radix(self.0.lines().find_map(value)?.trim(), 16).ok()
    }
}

/// The fields of a `stat` file from the third on; the second is a name that may hold blanks and brackets.
pub(crate) struct Stat(String);

impl Stat {
    /// That of a process: what its threads took is added up.
    pub(crate) fn of_process(pid: u32) -> Option<Self> {
        Self::read(&format!("/proc/{pid}/stat"))
    }

    /// That of a thread. Without `task` the kernel adds up all threads of the process, for each of them.
    pub(crate) fn of_thread(tid: u32) -> Option<Self> {
        Self::read(&format!("/proc/{tid}/task/{tid}/stat"))
    }

    fn read(path: &str) -> Option<Self> {
        Some(Self(small(path)?.rsplit_once(") ")?.1.to_owned()))
    }

    /// The letter of the state, such as `Z`.
    pub(crate) fn state(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// A field by its number in proc(5), from 4 on.
    pub(crate) fn number(&self, field: usize) -> Option<u64> {
        self.0.split_whitespace().nth(field - 3)?.parse().ok()
    }
}
