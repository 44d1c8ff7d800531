//! What an exam has found.

use std::time::Duration;

use super::course::Seen;
use super::trial::Lesson;

/// An exam that was held.
#[derive(Clone, Debug)]
pub struct Report {
    /// The command of the service.
    pub command: Vec<String>,
    /// What chance was drawn from.
    pub seed: u64,
    /// One for each trial that was to be held, in the order of the trials.
    pub outcomes: Vec<Outcome>,
    /// How long all of it took.
    pub took: Duration,
}

/// What became of one trial.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub trial: &'static str,
    /// What is done, and what is asked for.
    pub rule: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// The page of the book that teaches its point.
    pub lesson: Lesson,
    /// The last lines that the service printed in the run that decided.
    pub printed: Vec<String>,
    /// The last runs of the service in it, the last one last.
    pub runs: Vec<Seen>,
    /// How long it took.
    pub took: Duration,
}

/// What was found in a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The service did what the contract says.
    Passed,
    /// It did not; a sentence says what it did.
    Failed(String),
    /// This machine or this service does not allow the trial, and why.
    NotTried(String),
}

/// News of an exam that is under way.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// The trial of this name begins.
    Begins(&'static str),
    /// A trial is over.
    Over(&'a Outcome),
}

impl Report {
    /// Whether nothing that was tried has failed.
    pub fn passed(&self) -> bool {
        !self.outcomes.iter().any(|outcome| matches!(outcome.verdict, Verdict::Failed(_)))
    }
}
