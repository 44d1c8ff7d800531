//! What the threads of any program were doing when it ended, seen from outside.
//!
//! [`follow`] follows a program to its end, by what [`sys`] asks of the kernel; [`call`] puts a system call
//! into words, [`file`](mod@file) finds what a program leaves, and [`look`] looks at one that runs, without following it.
//! [`beside`] is a tracer in a process of its own, for a program whose end others wait for.
//! Every word that comes out of here is one that is known; what cannot be seen is a [`Limit`].

use std::path::PathBuf;

use serde::Serialize;

use self::call::Doing;

mod arrivals;
pub mod beside;
pub mod call;
pub mod file;
pub mod follow;
pub mod look;
pub mod sys;

/// A program's run, as it was seen. Times are seconds since its `execve` returned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sight {
    /// The command, as it was given.
    pub command: Vec<String>,
    /// The process that it started.
    pub pid: u32,
    /// When the process ended.
    pub ended: f64,
    /// How.
    pub end: End,
    /// Its threads, in the order of their birth; the first is `main`.
    pub threads: Vec<Thread>,
    /// Signals that came from outside, in order.
    pub signals: Vec<Arrival>,
    /// What `main` waited for, in order; only what took 20 ms or more.
    pub waits: Vec<Wait>,
    /// The last lines that it printed.
    pub printed: Vec<Printed>,
    /// The first line that tells of a panic or an exception, also if many came after it.
    pub alarm: Option<Printed>,
    /// Files that it left.
    pub files: Vec<File>,
    /// Processes that it started and that live on.
    pub children: Vec<Child>,
    /// The process in which the work was done, where this one only waited for it.
    pub worker: Option<Child>,
    /// The threads as they stood when the time was up that they were given.
    pub stood: Option<Stood>,
    /// What could not be seen, and why.
    pub limits: Vec<Limit>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A thread ended it.
    Exit {
        /// The exit code.
        code: i32,
        /// Which of the threads; none if that was not seen.
        by: Option<usize>,
    },
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
        /// Who sent it.
        from: Sender,
    },
}

/// Who sent a signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The kernel, for a fault of this thread, an index into the threads.
    Fault(usize),
    /// The kernel, for something else (a terminal, a limit, a dead pipe).
    Kernel,
    /// A thread of the program itself.
    Itself,
    /// The one who traces: a `--signal`, the end of `--for`.
    Tracer,
    /// Another process.
    Process {
        /// Its id.
        pid: u32,
        /// Its name, if it was still there.
        name: Option<String>,
    },
    /// The program itself, after it had got the same signal from somebody.
    Again(Box<Sender>),
    /// Nobody was seen.
    Unknown,
}

/// A signal that came to the program from outside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrival {
    /// When: when it was sent if that is known, else when it was seen.
    pub at: f64,
    /// The signal's number.
    pub signal: i32,
    /// Who sent it.
    pub from: Sender,
    /// How the program met it.
    pub met: Met,
    /// When it was delivered; never while it was blocked.
    pub delivered: Option<f64>,
    /// Whether it was seen pending behind a mask.
    pub held_up: bool,
}

/// How a program meets a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// It has said nothing of it: the kernel does what it does by default.
    Default,
    /// It ignores it.
    Ignored,
    /// It has a handler for it.
    Caught,
    /// It blocked it, and the signal was pending until the end.
    Blocked,
    /// It blocked it, and took it by a call that waits for signals.
    Awaited,
    /// That was not seen.
    Unknown,
}

/// The life of a thread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thread {
    /// The kernel's id of it.
    pub id: u32,
    /// The kernel's name at its end: 15 bytes at most.
    pub name: String,
    /// Whether somebody gave it that name: one that is the program's own says nothing.
    pub named: bool,
    /// When it was born.
    pub born: f64,
    /// How it ended.
    pub fate: Fate,
    /// The thread that was seen joining it, an index into the threads.
    pub joined_by: Option<usize>,
}

/// How a thread ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// By itself, at a time.
    Ended(f64),
    /// It ended the process.
    EndedTheProcess,
    /// With the process, at its end, and what it did then.
    Cut(Doing),
    /// It was in its own end when the process ended.
    Ending,
    /// Another program took the place of all of them (`execve`).
    Replaced(f64),
}

/// What threads were doing at a time before the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stood {
    /// When.
    pub at: f64,
    /// Each thread that was alive, an index into the threads, and what it did.
    pub threads: Vec<(usize, Doing)>,
}

/// A time in which `main` was seen in one call at every look, or in short ones of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wait {
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// In which call.
    pub doing: Doing,
    /// Whether it was in this call several times, for less than half a second each.
    pub several: bool,
    /// The thread that it joined, an index into the threads.
    pub joins: Option<usize>,
}

/// A line that a program printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Printed {
    /// When.
    pub at: f64,
    /// Whether on standard error.
    pub stderr: bool,
    /// The line, with what is no text shown as such.
    pub line: String,
    /// Whether it ended with a line feed.
    pub whole: bool,
}

/// A file that was open for writing at the end, or has changed since the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct File {
    /// Where, below the program's directory if it is there.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the process had it open for writing when it ended.
    pub open: bool,
    /// Whether it has changed since the start.
    pub changed: bool,
    /// How its last line ends.
    pub tail: Tail,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// Nothing is in it.
    Empty,
    /// With a line feed.
    Whole,
    /// In the middle of a line.
    Torn,
    /// It is no text.
    Binary,
    /// It could not be read.
    Unknown,
}

/// A process that lives on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Child {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its command, in one line. A fork has that of the process that made it.
    pub command: String,
    /// Whether it is a fork: it has started no program of its own.
    pub forked: bool,
}

/// What could not be seen, in a sentence for the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit(pub String);
