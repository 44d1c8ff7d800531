//! For each trial a service that is wrong in one thing, fails this trial and passes those before it.

use std::fs;
use std::sync::LazyLock;

use libtest_mimic::{Failed, Trial};
use own_program::exam::trials;
use serde::Deserialize;
use tempfile::TempDir;

use crate::held::hold;
use crate::solutions::{LESSON, python};
use crate::{Found, trial};

/// The two that take longest are not held before others: a service that fails one of them is not wrong in one
/// thing alone, and each takes as long as all the rest.
const LONG: [&str; 2] = ["killed", "torn-tail"];

static LIST: LazyLock<List> =
    LazyLock::new(|| toml::from_str(include_str!("twins.toml")).expect("a list of twins"));

/// What `twins.toml` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    twin: Vec<Twin>,
}

/// A service that is wrong in one thing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twin {
    trial: String,
    what: String,
    of: String,
    from: String,
    to: String,
    says: String,
}

pub fn tests() -> Vec<Trial> {
    let of = |(index, twin): (usize, &'static Twin)| {
        let earlier = LIST.twin[..index].iter().filter(|other| other.trial == twin.trial).count();
        let name = match earlier {
            0 => twin.trial.clone(),
            earlier => format!("{}-{}", twin.trial, earlier + 1),
        };
        let trials = [
            trial(format!("twin::{name}"), &["python3"], || twin.is_caught()),
            trial(format!("before::{name}"), &["python3"], || twin.passes_before()),
        ];
        // Nothing comes before the first.
        trials.into_iter().take(if twin.trial == trials::BASICS { 1 } else { 2 })
    };
    let mut tests: Vec<_> = LIST.twin.iter().enumerate().flat_map(of).collect();
    tests.push(trial("twins".to_owned(), &[], each_trial_has_one));
    tests
}

fn each_trial_has_one() -> Result<Found, Failed> {
    let mut found: Vec<_> = LIST.twin.iter().map(|twin| &*twin.trial).collect();
    found.dedup();
    if found == trials::ALL.map(|trial| trial.name) {
        Ok(Found::Right)
    } else {
        Err(format!("the trials in their order, each with its twins, and not {found:?}").into())
    }
}

impl Twin {
    /// The trial alone is enough to find it.
    fn is_caught(&self) -> Result<Found, Failed> {
        let (_place, service) = self.written()?;
        let held = hold([&*self.trial], &service)?;
        match &held.outcomes[..] {
            [one] if one.failed() && one.because().contains(&self.says) => Ok(Found::Right),
            [one] if !one.failed() && !one.passed() => {
                Ok(Found::NotTried(one.because().to_owned()))
            }
            _ => held.wrong(&format!("{}, and that is not told with {:?}", self.what, self.says)),
        }
    }

    /// Nothing else is wrong with it that an earlier trial would find.
    fn passes_before(&self) -> Result<Found, Failed> {
        let (_place, service) = self.written()?;
        let before =
            trials::ALL.iter().map(|trial| trial.name).take_while(|name| *name != self.trial);
        let held = hold(before.filter(|name| !LONG.contains(name)), &service)?;
        if held.status.success() && !held.outcomes.is_empty() {
            Ok(Found::Right)
        } else {
            held.wrong(&format!("{}, and something else is wrong, too", self.what))
        }
    }

    /// The program with the change, and what starts it.
    fn written(&self) -> Result<(TempDir, Vec<std::ffi::OsString>), Failed> {
        let text = fs::read_to_string(LESSON.join(&self.of))?;
        if text.matches(&self.from).count() != 1 {
            return Err(format!("{} does not have once:\n{}", self.of, self.from).into());
        }
        let place = TempDir::new()?;
        let path = place.path().join(&self.of);
        fs::write(&path, text.replace(&self.from, &self.to))?;
        Ok((place, python(&path)?))
    }
}
