//! Few processes, threads, descriptors, little memory: the self-check asks for what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};
use named::desk::answer;
use named::self_check::guarded;
use named::tools::needs;

use super::{Test, from_a_shell, has, whole_check, with_variables_of};

/// 42 tests whose programs are built in a moment, and are under way at once where there is room.
const TESTS: &str = "ways-to-exit";

/// What a trial does in a control group.
type InGroup = fn(&Path) -> Result<(), Failed>;

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let everywhere: [(&str, Test); 6] = [
        ("50 descriptors are enough", few_descriptors),
        ("of too few descriptors one line tells", too_few_descriptors),
        ("little address space is enough", little_address_space),
        ("RUST_TEST_THREADS is kept", threads_are_kept),
        ("RUST_TEST_THREADS that is no number is told", no_number),
        ("too few threads, by a limit that nobody tells of, are enough", an_unknown_limit),
    ];
    let mut trials: Vec<Trial> =
        everywhere.map(|(name, test)| Trial::test(format!("limits::{name}"), test)).into();
    let with_rights: [(&str, InGroup); 2] = [
        ("60 processes are enough", few_processes),
        ("of too few processes one line tells", too_few_processes),
    ];
    trials.extend(with_rights.map(|(name, test)| {
        Trial::ignorable_test(format!("limits::{name}"), move || match Group::new(name) {
            Some(group) => test(&group.0).map(|()| Completion::Completed),
            None => Ok(Completion::ignored_with("takes the right to make a control group")),
        })
    }));
    let without_pidfd: [(&str, Test); 2] = [
        ("a kernel without pidfd", || without_pidfd("ENOSYS")),
        ("a sandbox that forbids pidfd", || without_pidfd("EPERM")),
    ];
    trials.extend(without_pidfd.map(|(name, test)| {
        Trial::ignorable_test(format!("limits::{name}"), needs("strace", test))
    }));
    trials
}

/// A control group for the number of processes.
struct Group(PathBuf);

impl Group {
    /// None where it cannot be made.
    fn new(name: &str) -> Option<Self> {
        let parents = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(Path::new);
        let parent = parents.into_iter().find(|parent| parent.is_dir())?;
        let number = name.len();
        let group = Self(parent.join(format!("workbook-{}-{number}", std::process::id())));
        fs::create_dir(&group.0).ok()?;
        group.0.join("pids.max").exists().then_some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What was in it may be about to end.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs tests with so many processes.
fn in_a_group(
    group: &Path,
    processes: u32,
    tests: &[&str],
) -> Result<(String, Option<i32>), Failed> {
    fs::write(group.join("pids.max"), processes.to_string())?;
    let enter = format!("echo $$ > '{}'", group.join("cgroup.procs").display());
    Ok(answer(&mut limited(&enter, tests)))
}

/// A check that is ended if it hangs.
fn limited(before: &str, tests: &[&str]) -> Command {
    let shell = from_a_shell(before, tests);
    let mut limited = guarded("timeout");
    limited.args(["--kill-after=1", "60"]).arg(shell.get_program()).args(shell.get_args());
    with_variables_of(&shell, &mut limited).stdin(Stdio::null());
    limited
}

fn few_processes(group: &Path) -> Result<(), Failed> {
    let (text, code) = in_a_group(group, 60, &[TESTS])?;
    has(&text, " leaves ")?;
    passed(&text, code)
}

fn too_few_processes(group: &Path) -> Result<(), Failed> {
    let (text, code) = in_a_group(group, 20, &[TESTS])?;
    has(&text, "the self-check needs 28 processes and threads; ")?;
    one_line(&text, code)
}

fn passed(text: &str, code: Option<i32>) -> Result<(), Failed> {
    has(text, "test result: ok. 41 passed")?;
    if code == Some(0) { Ok(()) } else { Err(format!("exit code {code:?}: {text}").into()) }
}

fn one_line(text: &str, code: Option<i32>) -> Result<(), Failed> {
    match (text.lines().count(), code) {
        (1, Some(1)) => Ok(()),
        _ => Err(format!("exit code {code:?}: {text}").into()),
    }
}

fn few_descriptors() -> Result<(), Failed> {
    let (text, code) = answer(&mut limited("ulimit -n 50", &[TESTS]));
    has(&text, "the limit of `ulimit -n` leaves ")?;
    passed(&text, code)
}

fn too_few_descriptors() -> Result<(), Failed> {
    let (text, code) = answer(&mut limited("ulimit -n 24", &[TESTS]));
    has(&text, "the self-check needs 28 open files; the limit of `ulimit -n` leaves ")?;
    one_line(&text, code)
}

fn little_address_space() -> Result<(), Failed> {
    let (text, code) = answer(&mut limited("ulimit -v 700000", &[TESTS]));
    has(&text, "the limit of `ulimit -v` leaves ")?;
    passed(&text, code)
}

fn threads_are_kept() -> Result<(), Failed> {
    let mut check = whole_check();
    let mut check = check.arg(TESTS).env("RUST_TEST_THREADS", "2").spawn()?;
    while runs(check.id()).is_empty() && check.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    let mut most = 0;
    for _ in 0..40 {
        most = most.max(runs(check.id()).len());
        thread::sleep(Duration::from_millis(50));
    }
    check.kill()?;
    check.wait()?;
    if most == 2 { Ok(()) } else { Err(format!("{most} runs were under way at once").into()) }
}

/// The marks of the runs of a check that are under way.
fn runs(check: u32) -> BTreeSet<String> {
    let mark = format!("WORKBOOK_RUN={check}-");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let marks = processes.filter_map(|process| {
        let environment = fs::read(process.path().join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let variable = variables.find(|variable| variable.starts_with(mark.as_bytes()))?;
        Some(String::from_utf8_lossy(variable).into_owned())
    });
    marks.collect()
}

fn no_number() -> Result<(), Failed> {
    let (text, code) = answer(&mut limited("export RUST_TEST_THREADS=many", &[TESTS]));
    has(&text, "RUST_TEST_THREADS=many")?;
    one_line(&text, code)
}

/// Address space for 19 threads, of which no limit tells as a number of threads.
fn an_unknown_limit() -> Result<(), Failed> {
    let before = "export RUST_MIN_STACK=400000000; ulimit -v 8000000";
    let (text, code) = answer(&mut limited(before, &[TESTS]));
    has(&text, " threads can be started: at most ")?;
    passed(&text, code)
}

fn without_pidfd(error: &str) -> Result<(), Failed> {
    let check = whole_check();
    let mut strace = guarded("strace");
    let inject = format!("inject=pidfd_open:error={error}");
    strace.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=pidfd_open", "-e"]);
    strace.arg(inject).arg(check.get_program()).args(["--exact", "heartbeat"]);
    let (text, code) = answer(with_variables_of(&check, &mut strace).stdin(Stdio::null()));
    has(&text, "1 passed; 0 failed")?;
    if code == Some(0) { Ok(()) } else { Err(format!("exit code {code:?}: {text}").into()) }
}
