//! The languages of the twins: Python from 3.6 on, and of each language one that hangs or is no use.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use named::desk::answer;
use tempfile::TempDir;
use workbook::promise::Language::{self, Go, Java, Python};

use super::{all_at_once, has, whole_check};

/// Twins whose output has been otherwise in some version.
const TWINS: &str = "python::service-roles";

/// It says who it is, and nothing else.
const HANGS: &str = "echo $$ > $0.pid; exec sleep 60";

/// Java without what compiles.
const JRE: &str = "echo java.home = /nowhere >&2; echo java.version = 17 >&2";

/// Java of a version that is too old.
const OLD_JAVA: &str = "mkdir -p $0.d/bin; touch $0.d/bin/javac; \
                        echo java.home = $0.d >&2; echo java.version = 11.0.2 >&2";

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let told = [
        (Python, "one that hangs", HANGS, "within 4 s"),
        (
            Python,
            "one that is too old",
            "echo /usr/bin/python3; echo 2.7",
            "is Python 2.7, and they",
        ),
        (
            Python,
            "one that says something else",
            "echo no version",
            "python3 does not run, or is none",
        ),
        (Python, "one that writes without end", "exec yes", "python3 does not run, or is none"),
        (Java, "one that hangs", HANGS, "within 4 s"),
        (Java, "one that is too old", OLD_JAVA, "is Java 11.0, and they need 17"),
        (Java, "one without its compiler", JRE, "there is no /nowhere/bin/javac"),
        (Go, "one that hangs", HANGS, "within 4 s"),
        (
            Go,
            "one that says something else",
            "echo /usr; echo devel",
            "go does not run, or is none",
        ),
    ];
    let mut trials: Vec<Trial> = told
        .into_iter()
        .map(|(language, name, script, told)| {
            let key = language.key();
            Trial::test(format!("{key}::{name} is told"), move || told_once(language, script, told))
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

fn told_once(language: Language, script: &str, told: &str) -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let command =
        directory.path().join(if language == Python { "python3" } else { language.key() });
    fs::write(&command, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&command, Permissions::from_mode(0o755))?;
    let twin = format!("{}::phrasebook::start", language.key());
    let start = Instant::now();
    let (text, code) = answer(with(directory.path()).args(["--exact", &twin]));
    let took = start.elapsed();
    has(&text, &format!("{twin} ... ignored ("))?;
    has(&text, told)?;
    let note = format!("the {language} twins are ignored: ");
    let lines = text.lines().filter(|line| line.starts_with(&note));
    if lines.count() != 1 || code != Some(0) || took > Duration::from_secs(8) {
        return Err(format!("exit code {code:?} after {took:?}: {text}").into());
    }
    let pid = fs::read_to_string(command.with_extension("pid")).unwrap_or_default();
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
