//! What a tracer tells of a program's threads.

use serde::{Deserialize, Serialize};

/// The threads of a program, and its end. Times are seconds since the program began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order of their birth; the first is `main`.
    pub threads: Vec<Thread>,
    /// When the process ended.
    pub ended: f64,
    /// The name of the thread that ended it; none if a signal did.
    pub ended_by: Option<String>,
}

/// A thread, as the kernel saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's name of it: 15 bytes at most.
    pub name: String,
    /// When it was born.
    pub born: f64,
    /// When it ended by itself; a thread that never did was cut off.
    pub returned: Option<f64>,
    /// When it waited.
    pub waits: Vec<Wait>,
}

/// A wait of a thread, for another thread or for something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// The name of the thread if it was a join.
    pub joins: Option<String>,
}
