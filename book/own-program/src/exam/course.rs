//! The course of one run of the service, as its picture shows it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use workbook::promise::Exit;

use super::prints::Line;

/// What happened, with times after the start.
#[derive(Debug)]
pub struct Course {
    /// The start.
    pub start: Instant,
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The requests, in the order of their ends.
    pub asked: Vec<Asked>,
    /// What was done to the process, as a signal.
    pub done: Vec<(Duration, String)>,
    /// When and how it ended by itself or by a signal.
    pub ended: Option<(Duration, Exit)>,
    /// When the exam turned from it.
    pub over: Duration,
    /// What it printed.
    pub printed: Vec<Line>,
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asked: what one customer asks stands in one lane.
    pub by: String,
    /// What was asked for.
    pub what: String,
    /// When it was sent.
    pub from: Duration,
    /// When the answer was there, or the customer went.
    pub to: Duration,
    /// What came.
    pub answer: String,
}

impl Course {
    /// One that begins now.
    pub fn new() -> Self {
        Self { start: Instant::now(), seen: Mutex::default() }
    }

    /// Notes a request that was sent then and is over now.
    pub fn asked(&self, by: &str, what: String, from: Instant, answer: String) {
        let asked = Asked {
            by: by.to_owned(),
            what,
            from: from.saturating_duration_since(self.start),
            to: self.start.elapsed(),
            answer,
        };
        self.seen().asked.push(asked);
    }

    /// Notes what is done to the process now.
    pub fn done(&self, what: &str) {
        let at = self.start.elapsed();
        self.seen().done.push((at, what.to_owned()));
    }

    /// Notes that it has ended, at the first time.
    pub fn ended(&self, exit: Exit) {
        let at = self.start.elapsed();
        self.seen().ended.get_or_insert((at, exit));
    }

    /// Notes that nobody looks any more, and what it has printed.
    pub fn over(&self, printed: Vec<Line>) {
        let over = self.start.elapsed();
        let mut seen = self.seen();
        seen.over = over;
        seen.printed = printed;
    }

    /// All that was seen.
    pub fn told(&self) -> Seen {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
