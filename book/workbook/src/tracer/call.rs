//! What a thread was doing: a system call, in words.
//!
//! The thread may stand still while it is looked at, so a look ([`Process::look`], [`Process::last_look`])
//! reads little and decodes nothing. [`Raw::doing`] makes a [`Doing`] of it later, with the sockets'
//! [`Names`], and [`Doing::words`] says it.

use serde::Serialize;

pub use self::names::Names;
pub use self::raw::{Process, Raw};

mod names;
mod raw;
mod table;

/// What a thread was doing when it was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// It was in a system call.
    Call(Call),
    /// It was in no call.
    Computing,
    /// A fault of its own ended the process.
    Crashed,
    /// It could not be seen.
    Unknown,
}

/// A system call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The kernel's name of it, or `call 451`.
    pub name: String,
    /// The file, socket or pipe that it is about, in words: `journal.txt`, `127.0.0.1:8080`, `a pipe`.
    pub about: Option<String>,
    /// The time that it would have gone on waiting.
    pub left: Left,
}

/// How long a call would have gone on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It takes no time limit of its own, or the limit could not be read.
    Untold,
    /// It was told to wait without a limit.
    Forever,
    /// So many seconds.
    Seconds(f64),
    /// So many seconds at most: the whole limit, as its beginning was not seen.
    AtMost(f64),
}

impl Doing {
    /// It in words: "in `write` to journal.txt", "asleep, 99.6 s to go", "computing".
    pub fn words(&self) -> String {
        match self {
            Doing::Call(call) => call.words(),
            _ => self.kind(),
        }
    }

    /// The words without the file and the time, the same for all threads that do the same.
    pub fn kind(&self) -> String {
        match self {
            Doing::Call(call) => call.kind(),
            Doing::Computing => "computing".to_owned(),
            Doing::Crashed => "crashed here".to_owned(),
            Doing::Unknown => "not seen".to_owned(),
        }
    }

    /// What the words say of its time limit, as it follows them: ", no time limit", or nothing.
    pub(super) fn limit(&self) -> String {
        match self {
            Doing::Call(call) => call.left.words(),
            _ => String::new(),
        }
    }
}

impl Call {
    fn words(&self) -> String {
        let mut words = self.kind();
        if let Some(about) = &self.about {
            words += &format!(" {} {about}", preposition(familiar(&self.name)));
        }
        words + &self.left.words()
    }

    fn kind(&self) -> String {
        match self.name.as_str() {
            "nanosleep" | "clock_nanosleep" => "asleep".to_owned(),
            "futex" | "futex_wait" | "futex_waitv" => {
                "waiting for another thread (futex)".to_owned()
            }
            "pause" | "rt_sigsuspend" | "rt_sigtimedwait" => "waiting for a signal".to_owned(),
            // The kernel has put this call in the place of the one that a stop broke off.
            "restart_syscall" => "waiting (taken up again after a stop)".to_owned(),
            name if name.starts_with("call ") => format!("in {name}"),
            name => format!("in `{}`", familiar(name)),
        }
    }
}

impl Left {
    fn words(self) -> String {
        /// Java and Python ask for centuries when they mean no limit.
        const LONG: f64 = 10.0 * 365.0 * 86_400.0;
        match self {
            Left::Untold => String::new(),
            Left::Forever => ", no time limit".to_owned(),
            Left::Seconds(seconds) | Left::AtMost(seconds) if seconds > LONG => {
                ", over ten years to go".to_owned()
            }
            Left::Seconds(seconds) => format!(", {} to go", in_seconds(seconds)),
            Left::AtMost(seconds) => format!(", at most {} to go", in_seconds(seconds)),
        }
    }
}

fn in_seconds(seconds: f64) -> String {
    if seconds < 1000.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

/// The name of the function that a program calls, where the kernel's name is another.
fn familiar(name: &str) -> &str {
    match name {
        "accept4" => "accept",
        "epoll_pwait" | "epoll_pwait2" => "epoll_wait",
        "openat" => "open",
        "ppoll" => "poll",
        "pread64" => "pread",
        "pselect6" => "select",
        "pwrite64" => "pwrite",
        "recvfrom" => "recv",
        "sendto" => "send",
        name => name,
    }
}

/// What stands between a call and what it is about.
fn preposition(familiar: &str) -> &'static str {
    match familiar {
        "connect" | "copy_file_range" | "send" | "sendfile" | "sendmmsg" | "sendmsg" => "to",
        "recv" | "recvmmsg" | "recvmsg" | "splice" => "from",
        "wait4" | "waitid" => "for",
        "close" | "fallocate" | "fdatasync" | "fsync" | "ftruncate" | "open" => "of",
        name if name.contains("write") => "to",
        name if name.contains("read") => "from",
        _ => "on",
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Doing, Left};

    fn call(name: &str, about: Option<&str>, left: Left) -> String {
        Doing::Call(Call { name: name.to_owned(), about: about.map(str::to_owned), left }).words()
    }

    #[test]
    fn calls_are_said_in_words() {
        for (words, name, about, left) in [
            ("in `write` to journal.txt", "write", Some("journal.txt"), Left::Untold),
            ("in `accept` on 127.0.0.1:8080", "accept4", Some("127.0.0.1:8080"), Left::Untold),
            ("asleep, 99.6 s to go", "clock_nanosleep", None, Left::Seconds(99.57)),
            ("asleep, at most 100.0 s to go", "nanosleep", None, Left::AtMost(100.0)),
            ("waiting for another thread (futex), no time limit", "futex", None, Left::Forever),
            (
                "waiting for another thread (futex), 86387 s to go",
                "futex",
                None,
                Left::Seconds(86_387.3),
            ),
            (
                "waiting for another thread (futex), over ten years to go",
                "futex",
                None,
                Left::Seconds(9.2e9),
            ),
            ("in `futex_wake`", "futex_wake", None, Left::Untold),
            ("in `epoll_wait`, 0.5 s to go", "epoll_pwait2", None, Left::Seconds(0.5)),
            ("in `recv` from 10.0.0.1:5432", "recvfrom", Some("10.0.0.1:5432"), Left::Untold),
            ("in `wait4` for any child", "wait4", Some("any child"), Left::Untold),
            ("in `fsync` of a.db", "fsync", Some("a.db"), Left::Untold),
            ("in `process_madvise` on a.db", "process_madvise", Some("a.db"), Left::Untold),
            ("in call 451", "call 451", None, Left::Untold),
        ] {
            assert_eq!(call(name, about, left), words);
        }
    }
}
