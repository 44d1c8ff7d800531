//! The disk of temporary files: slow, full, missing, or where nothing may be run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Failed, Trial};
use named::desk::answer;
use named::self_check::guarded;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::ends::busy;
use super::{all_at_once, from_a_shell, has, whole_check, with_variables_of};

const TEST: [&str; 2] = ["--exact", "heartbeat"];
const PASSES: &str = "1 passed; 0 failed";

/// Leaves no room in memory.
const SMALL: &str = "mount -t tmpfs -o size=64k none /dev/shm; unset XDG_RUNTIME_DIR";

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::ignorable_test("disk::runs live in memory", in_memory),
        Trial::test("disk::where there is memory TMPDIR may be anything", any_directory),
    ];
    let no_directory = "no directory in TMPDIR, which is ";
    for (name, before, expected) in [
        ("without room in memory TMPDIR serves", "export TMPDIR=\"$1/a b\"", PASSES),
        ("a relative TMPDIR serves", "cd \"$1\"; export TMPDIR='a b'", PASSES),
        (
            "a TMPDIR where nothing may be run serves",
            "mount -t tmpfs -o noexec none \"$1\"; export TMPDIR=\"$1\"",
            PASSES,
        ),
        ("a missing TMPDIR is named", "export TMPDIR=\"$1/none\"", no_directory),
        (
            "a full TMPDIR is named",
            "mount -t tmpfs -o nr_inodes=1 none \"$1\"; export TMPDIR=\"$1\"",
            no_directory,
        ),
    ] {
        let trial = move || mounted(before, expected);
        trials.push(Trial::ignorable_test(format!("disk::{name}"), trial));
    }
    trials
}

/// Runs the test where there is no room in memory.
fn mounted(before: &str, expected: &str) -> Result<Completion, Failed> {
    let may = Command::new("unshare").args(["-Urm", "true"]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        return Ok(Completion::ignored_with("takes the right to mount"));
    }
    let directory = TempDir::new()?;
    fs::create_dir(directory.path().join("a b"))?;
    let script = format!("{SMALL}; {before}; exec \"$0\" {}", TEST.join(" "));
    let check = whole_check();
    let mut unshare = guarded("unshare");
    unshare.args(["-Urm", "sh", "-c", &script]).arg(check.get_program()).arg(directory.path());
    let (text, code) = answer(with_variables_of(&check, &mut unshare).stdin(Stdio::null()));
    has(&text, expected)?;
    let is_one_line = text.lines().count() == 1;
    if code == Some(0) || is_one_line {
        Ok(Completion::Completed)
    } else {
        Err(format!("exit code {code:?}: {text}").into())
    }
}

fn in_memory() -> Result<Completion, Failed> {
    if !Path::new("/dev/shm").is_dir() {
        return Ok(Completion::ignored_with("there is no /dev/shm"));
    }
    let mut check = whole_check().arg("ways-to-exit").spawn()?;
    let under_way = busy(check.id(), 5);
    let _ = kill(Pid::from_raw(check.id().cast_signed()), Signal::SIGKILL);
    check.wait()?;
    let elsewhere: Vec<_> = under_way?
        .directories
        .into_iter()
        .filter(|directory| !directory.starts_with("/dev/shm"))
        .collect();
    if elsewhere.is_empty() {
        Ok(Completion::Completed)
    } else {
        Err(format!("runs are in {elsewhere:?}").into())
    }
}

fn any_directory() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let path = directory.path().display();
    fs::write(directory.path().join("file"), "")?;
    let values = ["/none", "relative/none", &format!("{path}/file"), "a 'b\" c\n"];
    let check = |value: &&str| {
        let (text, _) = answer(from_a_shell("true", &TEST).env("TMPDIR", value));
        has(&text, PASSES)
    };
    all_at_once(&values, check)
}
