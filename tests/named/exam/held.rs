//! An exam that the command holds, and what it told.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::ended_within;
use serde::Deserialize;
use tempfile::TempDir;
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::Workbook;

/// The command.
static EXAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = programs::build(&Workbook::home(), ["own-program"], Profile::Dev).expect("cargo");
    built["when-main-returns"].clone()
});

/// How long an exam may take beside others and busy loops, before it counts as one that hangs.
const PATIENCE: Duration = Duration::from_secs(400);

/// An exam that is over.
pub struct Held {
    /// How the command ended.
    pub status: ExitStatus,
    /// All that it printed.
    pub printed: String,
    /// What became of each trial; none where no exam was held.
    pub outcomes: Vec<Outcome>,
}

/// What became of one trial, as the JSON has it.
#[derive(Deserialize)]
pub struct Outcome {
    /// Its name.
    pub trial: String,
    verdict: Verdict,
    because: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Passed,
    Failed,
    #[serde(rename = "not tried")]
    NotTried,
}

#[derive(Deserialize)]
struct Report {
    outcomes: Vec<Outcome>,
}

impl Outcome {
    /// Whether the service did what it has to.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// Whether it did not.
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Failed
    }

    /// Why it was not passed.
    pub fn because(&self) -> &str {
        self.because.as_deref().unwrap_or_default()
    }
}

impl Held {
    /// All that was told is wrong.
    pub fn wrong<T>(&self, what: &str) -> Result<T, Failed> {
        Err(format!("{what}\n{}\n{}", self.status, self.printed).into())
    }
}

/// Builds the command.
pub fn build() {
    LazyLock::force(&EXAM);
}

/// Holds these trials, or all where none is named.
pub fn hold<'a>(
    trials: impl IntoIterator<Item = &'a str>,
    service: &[OsString],
) -> Result<Held, Failed> {
    let place = TempDir::new()?;
    let json = place.path().join("report.json");
    let only = trials.into_iter().flat_map(|trial| ["--only", trial]).map(OsString::from);
    let told = ["--json".into(), json.clone().into(), "--".into()];
    let arguments = only.chain(told).chain(service.iter().cloned()).collect::<Vec<_>>();
    let mut held = hold_as(&arguments)?;
    if let Ok(json) = fs::read(&json) {
        held.outcomes = serde_json::from_slice::<Report>(&json)?.outcomes;
    }
    Ok(held)
}

/// Gives the command just these arguments.
pub fn hold_as(arguments: &[OsString]) -> Result<Held, Failed> {
    let place = TempDir::new()?;
    let output = place.path().join("output");
    let told = File::create(&output)?;
    let mut exam = guarded(&*EXAM)
        .arg("exam")
        .args(arguments)
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(told.try_clone()?)
        .stderr(told)
        .spawn()?;
    let status = ended_within(&mut exam, PATIENCE)?;
    let printed = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
    let Some(status) = status else {
        exam.kill()?;
        exam.wait()?;
        return Err(format!("it has not ended after {PATIENCE:?}\n{printed}").into());
    };
    Ok(Held { status, printed, outcomes: Vec::new() })
}
