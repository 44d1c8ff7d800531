//! Where one trial is held: the service's command, chance, and the courses of the runs.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use tempfile::TempDir;
use workbook::run::temporary_directory;

use super::course::Course;
use crate::trace::Environment;

/// A picture shows so many runs at most, the last ones.
const MOST_COURSES: usize = 2;

/// What all trials of an exam have in common.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// The service and its arguments.
    pub command: &'a [OsString],
    /// What it has in its environment.
    pub environment: Environment,
    /// What chance is drawn from.
    pub seed: u64,
    /// Whether it has taken orders once.
    pub has_begun: AtomicBool,
}

/// The bench of one trial.
#[derive(Debug)]
pub struct Bench<'a> {
    /// Who is examined.
    pub candidate: &'a Candidate<'a>,
    /// In which trial.
    pub trial: &'static str,
    courses: Mutex<VecDeque<Arc<Course>>>,
}

impl<'a> Bench<'a> {
    /// A bench without a run.
    pub fn new(candidate: &'a Candidate<'a>, trial: &'static str) -> Self {
        Self { candidate, trial, courses: Mutex::default() }
    }

    /// Another one for the same trial, for what goes on side by side.
    pub fn beside(&self) -> Self {
        Self::new(self.candidate, self.trial)
    }

    /// Takes the courses of another one for its own.
    pub fn adopt(&self, other: &Self) {
        let others = other.courses().into();
        *self.courses.lock().unwrap_or_else(PoisonError::into_inner) = others;
    }

    /// Chance: the same for the same seed and trial, whatever came before.
    pub fn dice(&self) -> Rng {
        Rng::with_seed(hash(&format!("{}/{}", self.candidate.seed, self.trial)))
    }

    /// A key that no other order of this trial has.
    pub fn key(&self, name: impl Display) -> String {
        format!("{name}-{:06x}", self.dice().u32(..) >> 8)
    }

    /// A directory for a service's data.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn data(&self) -> io::Result<TempDir> {
        temporary_directory()
    }

    /// The course of a run that begins.
    pub fn course(&self) -> Arc<Course> {
        let course = Arc::new(Course::new());
        let mut courses = self.courses.lock().unwrap_or_else(PoisonError::into_inner);
        courses.push_back(Arc::clone(&course));
        if courses.len() > MOST_COURSES {
            courses.pop_front();
        }
        course
    }

    /// The last courses, the last one last.
    pub fn courses(&self) -> Vec<Arc<Course>> {
        self.courses.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// FNV-1a, which is the same on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_trial() {
        let drawn = |seed, trial| {
            let candidate = Candidate {
                command: &[],
                environment: Environment::Own,
                seed,
                has_begun: AtomicBool::new(false),
            };
            let mut dice = Bench::new(&candidate, trial).dice();
            [dice.u32(5..120), dice.u32(5..120), dice.u32(5..120)]
        };
        assert_eq!(drawn(7, "killed"), drawn(7, "killed"));
        assert_ne!(drawn(7, "killed"), drawn(8, "killed"));
        assert_ne!(drawn(7, "killed"), drawn(7, "torn-tail"));
        // Also with another build and on another machine.
        assert_eq!(hash("7/killed"), 0x334c_a34e_a298_c43a);
    }
}
