//! The self-check ends, by whatever means, and nothing of it is left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use named::desk::answer;
use named::self_check::guarded;
use named::terminal::Terminal;
use named::tools::ended_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use workbook::workbook::Workbook;

use super::{Test, desk, from_a_shell, has, whole_check, with_variables_of};

/// Within this time nothing may be left.
const SOON: Duration = Duration::from_secs(2);

/// How many programs are under way before the check is ended.
const MANY: usize = 40;

/// For whatever takes part.
const PATIENCE: Duration = Duration::from_secs(240);

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = [
        ("SIGTERM", &[Signal::SIGTERM][..]),
        ("SIGKILL", &[Signal::SIGKILL]),
        ("two SIGINT", &[Signal::SIGINT, Signal::SIGINT]),
        ("SIGQUIT", &[Signal::SIGQUIT]),
    ]
    .into_iter()
    .map(|(name, signals)| {
        Trial::test(format!("ends::nothing is left after {name}"), || after(signals))
    })
    .collect();
    let others: [(&str, Test); 9] = [
        ("nothing is left after the terminal was closed", || in_a_terminal(b"close")),
        ("nothing is left after Ctrl-C in a terminal", || in_a_terminal(b"\x03")),
        ("a build is ended, too", a_build_is_ended),
        ("a check in a check has a guardian of its own", a_check_in_a_check),
        ("a stop does not count against a program", a_stop_does_not_count),
        ("a core is no finding", a_core_is_no_finding),
        ("signals that were ignored are not so in a lesson", ignored_signals),
        ("an exercise that signals the check is told", an_exercise_signals_the_check),
        ("a server ends with its test", a_server_ends_with_its_test),
    ];
    trials.extend(others.map(|(name, test)| Trial::test(format!("ends::{name}"), test)));
    trials
}

/// What is under way of a check, and where.
#[derive(Debug, Default)]
pub struct UnderWay {
    /// What carries its mark.
    pub processes: BTreeSet<Pid>,
    /// Where these are.
    pub directories: BTreeSet<PathBuf>,
}

/// The programs of the check with this id.
fn under_way(check: u32) -> UnderWay {
    let mark = format!("WORKBOOK_RUN={check}-");
    let mut found = UnderWay::default();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|variable| variable.starts_with(mark.as_bytes())) {
            found.processes.insert(Pid::from_raw(pid));
            found.directories.extend(fs::read_link(entry.path().join("cwd")));
        }
    }
    // One that is about to begin may still be where the check is.
    found.directories.retain(|directory| !directory.starts_with(Workbook::home()));
    found
}

/// Waits until so many programs of a check are under way.
pub fn busy(check: u32, programs: usize) -> Result<UnderWay, Failed> {
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        let found = under_way(check);
        if found.processes.len() >= programs {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(format!("no {programs} programs of the check are under way").into())
}

/// Holds that nothing of a check is left.
fn all_gone(check: u32, before: &UnderWay) -> Result<(), Failed> {
    let limit = Instant::now() + SOON;
    loop {
        let mut left = under_way(check);
        left.directories.extend(before.directories.iter().cloned());
        left.directories.retain(|directory| directory.exists());
        if left.processes.is_empty() && left.directories.is_empty() {
            return Ok(());
        }
        if Instant::now() > limit {
            for process in &left.processes {
                let _ = kill(*process, Signal::SIGKILL);
            }
            return Err(format!("{SOON:?} after the end are left: {left:?}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn send(check: &Child, signal: Signal) {
    let _ = kill(Pid::from_raw(check.id().cast_signed()), signal);
}

/// Waits for the end of a check.
fn end(check: &mut Child) -> Result<Option<i32>, Failed> {
    match ended_within(check, PATIENCE)? {
        Some(status) => Ok(status.code()),
        None => {
            check.kill()?;
            Err("the check does not end".into())
        }
    }
}

fn after(signals: &[Signal]) -> Result<(), Failed> {
    let mut check = whole_check().spawn()?;
    let before = busy(check.id(), MANY)?;
    signals.iter().for_each(|signal| send(&check, *signal));
    end(&mut check)?;
    all_gone(check.id(), &before)
}

fn in_a_terminal(keys: &[u8]) -> Result<(), Failed> {
    let mut terminal = Terminal::open(&whole_check())?;
    let check = terminal.runs()?;
    let before = busy(check, MANY)?;
    terminal.press(keys)?;
    all_gone(check, &before)?;
    let is_there = Path::new(&format!("/proc/{check}/exe")).exists();
    if is_there { Err("the check goes on".into()) } else { Ok(()) }
}

fn a_build_is_ended() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let cargo = directory.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho $$ > \"$0.pid\"\nexec sleep 60\n")?;
    Command::new("chmod").arg("+x").arg(&cargo).status()?;
    let mut check = whole_check().env("CARGO", &cargo).spawn()?;
    let limit = Instant::now() + PATIENCE;
    let pid: i32 = loop {
        let told = fs::read_to_string(cargo.with_extension("pid")).unwrap_or_default();
        if let Ok(pid) = told.trim().parse() {
            break pid;
        }
        if Instant::now() > limit {
            return Err("nothing is built".into());
        }
        thread::sleep(Duration::from_millis(20));
    };
    send(&check, Signal::SIGKILL);
    end(&mut check)?;
    thread::sleep(SOON);
    // Still there, so that it could be ended.
    let is_left = kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok();
    if is_left { Err("the build goes on".into()) } else { Ok(()) }
}

fn a_check_in_a_check() -> Result<(), Failed> {
    let mut outer = whole_check().spawn()?;
    let outside = busy(outer.id(), MANY)?;
    let beginning = format!("{}-", outer.id());
    let mark = outside.processes.iter().find_map(|pid| {
        let environment = fs::read_to_string(format!("/proc/{pid}/environ")).ok()?;
        let (_, rest) = environment.split_once(&beginning)?;
        Some(format!("{beginning}{}-", rest.split('-').next()?))
    });
    // Of no run that may be over before.
    let mark = mark.ok_or("a program has no mark")? + "none.";
    let mut inner = whole_check().env("WORKBOOK_RUN", mark).spawn()?;
    let inside = busy(inner.id(), MANY)?;
    send(&outer, Signal::SIGKILL);
    end(&mut outer)?;
    all_gone(outer.id(), &outside)?;
    // It was a program of the outer one, and is gone; its own programs must be so as well.
    end(&mut inner)?;
    all_gone(inner.id(), &inside)
}

fn a_stop_does_not_count() -> Result<(), Failed> {
    let mut command = whole_check();
    let lesson = ["--exact", "heartbeat"];
    let check = command.args(lesson).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    busy(check.id(), 1)?;
    thread::sleep(Duration::from_secs(1));
    send(&check, Signal::SIGSTOP);
    thread::sleep(Duration::from_secs(5));
    send(&check, Signal::SIGCONT);
    let output = check.wait_with_output()?;
    has(&String::from_utf8_lossy(&output.stdout), "1 passed; 0 failed")
}

fn a_core_is_no_finding() -> Result<(), Failed> {
    let mut shell = from_a_shell("ulimit -c unlimited", &["--exact", "edge-gateway::torn"]);
    has(&answer(&mut shell).0, "1 passed; 0 failed")
}

fn ignored_signals() -> Result<(), Failed> {
    let ignore = "import os, signal, sys\n\
                  for name in ['HUP', 'INT', 'QUIT', 'TERM', 'CHLD']:\n\
                  \x20   signal.signal(getattr(signal, 'SIG' + name), signal.SIG_IGN)\n\
                  signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n\
                  os.execv(sys.argv[1], sys.argv[1:])";
    let test = ["--exact", "starter::graceful-sigterm"];
    let check = whole_check();
    let mut python = guarded("python3");
    python.args(["-c", ignore]).arg(check.get_program()).args(test).stdin(Stdio::null());
    has(&answer(with_variables_of(&check, &mut python)).0, "1 passed; 0 failed")
}

fn an_exercise_signals_the_check() -> Result<(), Failed> {
    let desk = desk();
    let exercise = "lessons/02-heartbeat/src/bin/heartbeat-exercise.rs";
    // The shell sends them itself, and is there for a moment longer.
    let program = r#"
        fn main() {
            println!("start");
            let parent = std::os::unix::process::parent_id();
            let script = format!("for s in TERM INT HUP; do kill -$s {parent}; done; sleep 0.2");
            let _ = std::process::Command::new("sh").args(["-c", &script]).status();
        }
    "#;
    desk.edit(exercise, |_| program.to_owned());
    let (text, code) = desk.check(&["--exact", "exercise::heartbeat"]);
    has(&text, "  promised  sends no signal to its parent, which is the check")?;
    has(&text, "  but       it sent SIGHUP, SIGINT, SIGTERM\n")?;
    if code == Some(101) { Ok(()) } else { Err(format!("exit code {code:?}").into()) }
}

fn a_server_ends_with_its_test() -> Result<(), Failed> {
    let test = "--test-threads=1 an_open_book_is_whole_while_it_is_built_again";
    let build = Command::new(env!("CARGO"))
        .args(["test", "--package", "named", "--test", "book", "--no-run"])
        .current_dir(Workbook::home())
        .output()?;
    let stderr = String::from_utf8_lossy(&build.stderr);
    let program = stderr.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let program = Workbook::home().join(program.ok_or("no program")?.0);
    let mut process = guarded(program)
        .args(test.split(' '))
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let is_its_child = format!("PPid:\t{}\n", process.id());
    let mut server = None;
    let limit = Instant::now() + PATIENCE;
    while server.is_none() {
        let processes = fs::read_dir("/proc")?.flatten().map(|entry| entry.path());
        server = processes.into_iter().find(|process| {
            let read = |name| fs::read_to_string(process.join(name)).unwrap_or_default();
            read("status").contains(&is_its_child) && read("cmdline").contains("\0--port\0")
        });
        if Instant::now() > limit || process.try_wait()?.is_some() {
            return Err("no server is started".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    process.kill()?;
    process.wait()?;
    thread::sleep(SOON);
    let server = server.filter(|server| server.join("exe").exists());
    server.map_or(Ok(()), |path| Err(format!("the server goes on: {}", path.display()).into()))
}
