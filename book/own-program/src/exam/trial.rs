//! A trial: what is done to a service, and what it has to do then.

use super::bench::Bench;
use super::stop::Held;

/// A trial.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Its name.
    pub name: &'static str,
    /// What is done, and what is asked for, in plain words.
    pub rule: &'static str,
    /// What teaches its point.
    pub lesson: Lesson,
    /// Whether it sends SIGTERM, which has to reach the service then.
    pub signals: bool,
    /// Whether it does little but wait: then it is held beside its neighbours that do so, too.
    pub waits: bool,
    /// Holds it.
    pub hold: fn(&Bench<'_>) -> Held,
}

/// A page of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Its file below `book/chapters`, without `.md`.
    pub page: &'static str,
    /// Its title.
    pub title: &'static str,
}
