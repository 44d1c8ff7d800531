//! Python from 3.6 on, one that hangs, one that is too old.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use named::desk::answer;
use tempfile::TempDir;

use super::{all_at_once, has, whole_check};

/// Twins whose output has been otherwise in some version.
const TWINS: &str = "python::service-roles";

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let others = [
        ("one that hangs is told", "echo $$ > $0.pid; exec sleep 60", "within 4 s"),
        (
            "one that is too old is told",
            "echo /usr/bin/python3; echo 2.7",
            "is Python 2.7, and they",
        ),
        (
            "one that says something else is told",
            "echo no version",
            "python3 does not run, or is none",
        ),
        ("one that writes without end is told", "exec yes", "python3 does not run, or is none"),
    ];
    let mut trials: Vec<Trial> = others
        .into_iter()
        .map(|(name, script, told)| {
            Trial::test(format!("python::{name}"), move || told_once(script, told))
        })
        .collect();
    trials
        .push(Trial::ignorable_test("python::the twins keep their promises on each", each_version));
    trials
}

/// The self-check with this directory first on the path.
fn with(directory: &Path) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [directory.to_owned()].into_iter().chain(env::split_paths(&path));
    let mut check = whole_check();
    check.env("PATH", env::join_paths(path).expect("a path"));
    check.stdout(Stdio::piped()).stderr(Stdio::piped());
    check
}

fn told_once(script: &str, told: &str) -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let python = directory.path().join("python3");
    fs::write(&python, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&python, Permissions::from_mode(0o755))?;
    let start = Instant::now();
    let (text, code) = answer(with(directory.path()).args(["--exact", "python::heartbeat"]));
    let took = start.elapsed();
    has(&text, "python::heartbeat ... ignored (")?;
    has(&text, told)?;
    let lines = text.lines().filter(|line| line.starts_with("the Python twins are ignored: "));
    if lines.count() != 1 || code != Some(0) || took > Duration::from_secs(8) {
        return Err(format!("exit code {code:?} after {took:?}: {text}").into());
    }
    let pid = fs::read_to_string(python.with_extension("pid")).unwrap_or_default();
    match Path::new("/proc").join(format!("{}/exe", pid.trim())).exists() {
        true if !pid.is_empty() => Err("it goes on".into()),
        _ => Ok(()),
    }
}

/// The versions that a version manager has installed.
fn versions() -> Vec<PathBuf> {
    let home = env::var_os("HOME").unwrap_or_default();
    let versions = fs::read_dir(Path::new(&home).join(".pyenv/versions"));
    let versions = versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let is_three = |bin: &PathBuf| bin.to_string_lossy().contains("/versions/3.");
    versions.filter(is_three).collect()
}

fn each_version() -> Result<Completion, Failed> {
    let versions = versions();
    if versions.is_empty() {
        return Ok(Completion::ignored_with("there is no other Python"));
    }
    all_at_once(&versions, |bin| {
        let (text, code) = answer(with(bin).arg(TWINS));
        let is_right = code == Some(0) && text.contains("0 failed");
        if is_right { Ok(()) } else { Err(format!("{}: {text}", bin.display()).into()) }
    })?;
    Ok(Completion::Completed)
}
