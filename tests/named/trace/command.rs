//! What the command takes, passes on and leaves behind.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::ended_within;
use nix::sys::signal::Signal;
use rustix::process::geteuid;

use crate::Test;
use crate::programs::{PYTHON, TRACER, program, source};
use crate::threads::unread_pipe;
use crate::traced::{Place, one_time, within};

pub const TESTS: &[Test] = &[
    ("command::help", &[], help),
    ("command::refused", &[], refused),
    ("command::exit-codes", &[], exit_codes),
    ("command::signals-as-a-shell-sees-them", &[], signals_as_a_shell_sees_them),
    ("command::stdin-and-outputs", &[], stdin_and_outputs),
    ("command::term-once", &["cc"], || once(Signal::SIGTERM)),
    ("command::hup-once", &["cc"], || once(Signal::SIGHUP)),
    ("command::ctrl-c-once", &["cc", "python3"], ctrl_c_once),
    ("command::ctrl-c-twice", &["python3"], ctrl_c_twice),
    ("command::term-twice", &[], term_twice),
    ("command::terminal", &["python3"], terminal),
    ("command::signal", &["cc"], signal),
    ("command::signals", &["cc", "python3"], signals),
    ("command::for", &[], for_a_time),
    ("command::pid", &["cc"], pid),
    ("command::child-at-work", &[], child_at_work),
    ("command::child-forked", &["python3"], || one_time(child_forked)),
    ("command::child-of-several", &["python3"], || one_time(child_of_several)),
    ("command::child-ending", &["bash"], child_ending),
    ("command::killed", &["cc"], killed),
    ("command::secrets", &["cc"], secrets),
];

/// One line and the exit code, before anything is started.
fn refused() -> Result<(), Failed> {
    let place = Place::new()?;
    fs::write(place.path("plain"), "#!/bin/sh\n")?;
    fs::create_dir(place.path("shut"))?;
    fs::set_permissions(place.path("shut"), Permissions::from_mode(0o500))?;
    let run = ["--", "touch", "started"];
    let cases: [(&[&str], &[&str], i32); 19] = [
        (&[], &[], 125),
        (&[], &["--"], 125),
        (&[], &["--", "no-such-program-here"], 127),
        (&[], &["--", "./no/such/program"], 127),
        (&[], &["--", ""], 127),
        (&[], &["--", "."], 126),
        (&[], &["--", "/tmp"], 126),
        (&[], &["--", "./plain"], 126),
        (&["--for", "0"], &run, 125),
        (&["--for", ""], &run, 125),
        (&["--for", "-1"], &run, 125),
        (&["--for", "soon"], &run, 125),
        (&["--signal", "NONE"], &run, 125),
        (&["--signal", "TERM@x"], &run, 125),
        (&["--html", "no/page.html"], &run, 125),
        (&["--html", "."], &run, 125),
        (&["--json", "no/report.json"], &run, 125),
        (&["--pid", "4194305"], &[], 125),
        (&["--nonsense"], &run, 125),
    ];
    let shut: [(&[&str], &[&str], i32); 1] = [(&["--html", "shut/page.html"], &run, 125)];
    // A directory that may not be written in is no hindrance for root.
    let shut = if geteuid().is_root() { &shut[..0] } else { &shut[..] };
    let mut wrong = Vec::new();
    for (options, command, code) in cases.iter().chain(shut) {
        let arguments = [&["trace"], *options, *command].concat();
        let told = place.start_as(&arguments)?.told()?;
        let lines = told.stderr.lines().count();
        if told.status.code() != Some(*code) || lines != 1 || !told.stdout.is_empty() {
            wrong.push(format!("{arguments:?}, {code} expected: {}, {}", told.status, told.stderr));
        }
        if place.path("started").exists() {
            wrong.push(format!("{arguments:?}: the program was started"));
            fs::remove_file(place.path("started"))?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// What a reader types wrong is answered with what would be right.
fn help() -> Result<(), Failed> {
    let place = Place::new()?;
    let told = place.start_as(&["trace", "--help"])?.told()?;
    told.exits(0)?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    for line in ["Exit codes:", "125  ", "126  ", "127  ", "TERM@2, INT, 15", "second Ctrl-C"] {
        told.holds(text.contains(line), &format!("help has {line}"))?;
    }
    told.holds(text.lines().all(|line| line.chars().count() <= 100), "lines of 100 letters")?;
    for (arguments, answer) in [
        (["--pid", "abc"], "--pid takes the number of a process, and not 'abc'"),
        (["--pid", "0"], "--pid takes the number of a process, and not '0'"),
        (["--pid", "-1"], "--pid takes the number of a process, and not '-1'"),
        (
            ["--signal", "NONE"],
            "--signal takes a signal such as TERM, INT@2.5 or 15, and not 'NONE'",
        ),
        (["--signal", "99"], "--signal takes a signal such as TERM, INT@2.5 or 15, and not '99'"),
        (
            ["--signal", "TERM@x"],
            "--signal takes a signal such as TERM, INT@2.5 or 15, and not 'TERM@x'",
        ),
        (["--for", "soon"], "--for takes a number of seconds above 0, and not 'soon'"),
    ] {
        let told = place.start_as(&["trace", arguments[0], arguments[1]])?.told()?;
        told.exits(125)?.holds(told.stderr == format!("{answer}\n"), answer)?;
    }
    for signal in ["15", "15@0.3", "term@0.3", "SIGTERM@0.3"] {
        let told = place.trace(&["--signal", signal], &["sleep", "20"])?;
        told.dies_of(Signal::SIGTERM)?.says(["SIGTERM from this tracer"])?;
    }
    Ok(())
}

fn exit_codes() -> Result<(), Failed> {
    for code in [0, 1, 3, 42, 125, 126, 127, 143, 255] {
        let told = Place::new()?.trace(&[], &["sh", "-c", &format!("exit {code}")])?;
        told.exits(code)?.says([&*format!("exit code {code}, by main")])?.says_not([])?;
    }
    Ok(())
}

/// A shell shows 128 and the signal's number.
fn signals_as_a_shell_sees_them() -> Result<(), Failed> {
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("INT", 130), ("ABRT", 134), ("USR1", 138)]
    {
        let place = Place::new()?;
        // A shell that runs nothing after it would become the tracer.
        let script = format!("\"$0\" trace -- sh -c 'kill -{signal} $$'; echo \"$?\"");
        let output = within_a_minute("bash")
            .args(["-c", &script, &TRACER])
            .current_dir(place.path(""))
            .output()?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // No signal stops a program before SIGKILL.
        let from = if signal == "KILL" { "" } else { " from the program itself" };
        if stdout != format!("{code}\n") || !stderr.contains(&format!("SIG{signal}{from}")) {
            return Err(format!("{signal}: {stdout}{stderr}").into());
        }
        if fs::read_dir(place.path(""))?.count() > 0 {
            return Err(format!("{signal}: something is left").into());
        }
    }
    Ok(())
}

/// A command that does not hold up the others for ever.
fn within_a_minute(program: &str) -> Command {
    let mut command = guarded("timeout");
    command.args(["-s", "KILL", "60", program]);
    command
}

fn stdin_and_outputs() -> Result<(), Failed> {
    let place = Place::new()?;
    let script = "cat; echo apart >&2; [ -t 1 ] && echo a terminal; exit 4";
    let mut tracer = within_a_minute(&TRACER)
        .args(["trace", "--", "sh", "-c", script])
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let bytes = b"a\0\xff\r\nno line feed";
    tracer.stdin.take().ok_or("no stdin")?.write_all(bytes)?;
    let output = tracer.wait_with_output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_right =
        output.stdout == bytes && stderr.contains("apart") && output.status.code() == Some(4);
    if is_right { Ok(()) } else { Err(format!("{output:?}").into()) }
}

/// A signal to the tracer reaches the program, once.
fn once(signal: Signal) -> Result<(), Failed> {
    let place = Place::new()?;
    let running = place.start(&[], &[&program("counts")])?;
    place.wait_for("ready")?;
    running.signal(signal)?;
    let told = running.told()?;
    told.exits(0)?
        .prints(&format!("ready\nsignal {}\n1 in all\n", signal as i32))?
        .says(["exit code 0, by main"])?
        .says_not([])?;
    Ok(())
}

/// What a terminal showed, and the exit code as a shell tells it.
fn in_a_terminal(
    place: &Place,
    keys: &str,
    command: &[&str],
) -> Result<(String, Option<i32>), Failed> {
    let output = within_a_minute(&PYTHON)
        .args([&*source("terminal.py"), keys, &TRACER, "trace", "--"])
        .args(command)
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&said).into_owned(), output.status.code()))
}

/// A terminal gives SIGINT to all that run in its foreground: the program and the tracer.
fn ctrl_c_once() -> Result<(), Failed> {
    let place = Place::new()?;
    let (said, code) = in_a_terminal(&place, "\\x03", &[&program("counts")])?;
    let is_once = said.contains("signal 2") && said.contains("1 in all");
    if !is_once || code != Some(0) {
        return Err(format!("{code:?}: {said}").into());
    }
    if !said.contains("from the terminal: blocked, and taken by a call") {
        return Err(said.into());
    }
    let (said, code) =
        in_a_terminal(&place, "\\x03", &["sh", "-c", "echo ready; sleep 20; echo no"])?;
    if code == Some(130) && said.contains("SIGINT") && !said.contains("\nno") {
        Ok(())
    } else {
        Err(format!("{code:?}: {said}").into())
    }
}

/// The second time is meant.
fn ctrl_c_twice() -> Result<(), Failed> {
    let place = Place::new()?;
    let script = "trap '' INT; echo ready; sleep 30";
    let (said, code) = in_a_terminal(&place, "\\x03\\0\\x03", &["sh", "-c", script])?;
    let said: Vec<_> = said.split_whitespace().collect();
    let said = said.join(" ");
    let is_right = said.contains("SIGTERM from this tracer")
        && said.contains("SIGINT 2 times from")
        && said.contains("from the terminal: ignored")
        // Beside a load it may not yet have come back from the signal.
        && (said.contains("so already at") || said.contains("s computing; then cut off"));
    if is_right && code == Some(143) { Ok(()) } else { Err(format!("{code:?}: {said}").into()) }
}

fn term_twice() -> Result<(), Failed> {
    let place = Place::new()?;
    let script = "trap '' TERM; echo ready; while :; do :; done";
    let running = place.start(&[], &["sh", "-c", script])?;
    place.wait_for("ready")?;
    for _ in 0..2 {
        running.signal(Signal::SIGTERM)?;
        thread::sleep(Duration::from_millis(600));
    }
    let told = running.told()?;
    told.dies_of(Signal::SIGKILL)?.fits([
        r"ended after [56]\.\d+ s: SIGKILL from this tracer",
        r"main cut off, computing; so already at [01]\.\d+ s",
        r"signals SIGTERM 2 times from [\d.]+ s to [\d.]+ s from process \d+ .*: ignored",
    ])?;
    Ok(())
}

fn terminal() -> Result<(), Failed> {
    let place = Place::new()?;
    let script = "stty size; for n in 0 1 2; do [ -t $n ] && echo $n is a terminal; done; exit 6";
    let (said, code) = in_a_terminal(&place, "", &["sh", "-c", script])?;
    let (size, keys) = (said.contains("33 101\n"), said.matches(" is a terminal\n").count());
    if !size || keys < 3 || code != Some(6) {
        return Err(format!("{code:?}: {said}").into());
    }
    // What is typed reaches the program.
    let (said, code) =
        in_a_terminal(&place, "typed\\n", &["sh", "-c", "echo ready; read word; echo got $word"])?;
    let is_right = said.contains("got typed\n") && code == Some(0);
    if is_right { Ok(()) } else { Err(format!("{code:?}: {said}").into()) }
}

fn signal() -> Result<(), Failed> {
    let counts = program("counts");
    // After its first output.
    let told = Place::new()?.trace(&["--signal", "INT"], &[&counts])?;
    told.exits(0)?.prints("ready\nsignal 2\n1 in all\n")?;
    let first = told.json["ended"].as_f64().unwrap_or_default();
    told.holds(first < 0.9, "at once after the first output")?;
    let told = Place::new()?.trace(&["--signal", "TERM@1.5"], &[&counts])?;
    told.exits(0)?.prints("ready\nsignal 15\n1 in all\n")?;
    let second = told.json["ended"].as_f64().unwrap_or_default();
    told.holds((1.9..4.0).contains(&second), "1.5 s after the start")?;
    // A program that prints nothing gets it after a second.
    let told = Place::new()?.trace(&["--signal", "TERM"], &["sleep", "30"])?;
    told.dies_of(Signal::SIGTERM)?
        .fits([
            r"ended after 1(\.\d+)? s: SIGTERM from this tracer",
            r"main cut off, asleep, 2[89]\.\d s to go",
        ])?
        .says_not(["from process"])?;
    Ok(())
}

/// Which signals came, and what the program did with each.
fn signals() -> Result<(), Failed> {
    let deaf = "import signal as s, time; s.pthread_sigmask(s.SIG_BLOCK, [s.SIGTERM]); \
                print('ready', flush=True); time.sleep(1.5)";
    let late = format!("{deaf}; s.pthread_sigmask(s.SIG_UNBLOCK, [s.SIGTERM])");
    let counts = program("counts");
    let cases: [(&[&str], &str); 5] = [
        (&[&PYTHON, "-c", deaf], r"blocked until the end"),
        (&[&PYTHON, "-c", &late], r"blocked until [\d.]+ s, then left to its default"),
        (&[&counts], r"blocked, and taken by a call that waits for signals"),
        (&["sh", "-c", "trap '' TERM; echo ready; sleep 1.5"], r"ignored"),
        (&["sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do :; done"], r"caught"),
    ];
    for (command, met) in cases {
        let place = Place::new()?;
        let running = place.start(&[], command)?;
        place.wait_for("ready")?;
        running.signal(Signal::SIGTERM)?;
        let fits = format!(r"signals SIGTERM at [\d.]+ s from process \d+ \(trace[^)]*\): {met}");
        running.told()?.fits([&*fits])?;
    }
    // One that only ends the program is told where the end is.
    let told = Place::new()?.trace(&["--signal", "TERM@0.2"], &["sleep", "30"])?;
    told.says(["SIGTERM from this tracer"])?.says_not(["signals"])?;
    Ok(())
}

fn for_a_time() -> Result<(), Failed> {
    let told = Place::new()?.trace(&["--for", "0.7"], &["sleep", "30"])?;
    told.dies_of(Signal::SIGTERM)?.fits([
        r"ended after 0\.[78]\d* s: SIGTERM from this tracer",
        r"main cut off, asleep, 29\.\d s to go; so already at 0\.7\d* s",
    ])?;
    // What has ended before is not ended again.
    let told = Place::new()?.trace(&["--for", "20"], &["sleep", "0.2"])?;
    told.exits(0)?.says(["exit code 0, by main"])?.says_not(["SIGTERM", "already"])?;
    let told = Place::new()?
        .trace(&["--for", "0.5"], &["sh", "-c", "trap '' TERM; while :; do :; done"])?;
    told.dies_of(Signal::SIGKILL)?
        .fits([r"ended after 5\.\d+ s: SIGKILL from this tracer", r"main cut off, computing"])?;
    Ok(())
}

/// A process that hangs now, without harm to it.
fn pid() -> Result<(), Failed> {
    let place = Place::new()?;
    let _unread = unread_pipe(&place.path("pipe"))?;
    let mut writes =
        guarded(program("writes")).current_dir(place.path("")).stdout(Stdio::null()).spawn()?;
    thread::sleep(Duration::from_millis(600));
    let told = place.start_as(&["trace", "--pid", &writes.id().to_string()])?.told();
    let runs_on = writes.try_wait()?.is_none();
    let tracer = fs::read_to_string(format!("/proc/{}/status", writes.id()))?;
    writes.kill()?;
    writes.wait()?;
    let told = told?;
    told.exits(0)?
        .prints("")?
        .fits([
            r"process \d+ \(writes\)",
            r"2 of 2 threads have not moved",
            r"main joining writer \(\d+\), no time limit; has not moved for [\d.]+ s",
            r"writer \(\d+\) in `write` to pipe; has not moved for [\d.]+ s",
            r"page 17-hung-join",
        ])?
        .says_not(["cut off", "ended"])?
        .holds(runs_on, "it runs on")?
        .holds(tracer.contains("TracerPid:\t0\n"), "nobody is left attached")?;
    Ok(())
}

fn child_at_work() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &["sh", "-c", "sleep 1.5; exit 2"])?;
    told.exits(2)?.fits([
        r"done by its child \d+ \(sleep\); trace that one: trace -- sleep 1\.5",
        r"main ended the process",
        r"main 1\.[45]\d* s in `wait4`",
    ])?;
    Ok(())
}

/// One that was forked has the command of its parent: that would trace the parent anew.
fn child_forked() -> Result<(), Failed> {
    let script = "import os, time
if os.fork() == 0:
    time.sleep(3); os._exit(0)
os.wait()";
    // Beside a load the interpreter takes a second to start with all that it has.
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", script])?;
    told.exits(0)?
        .fits([r"done by its child \d+ \(python3[.\d]*\), a fork; while one like it runs: trace --pid N"])?
        .says_not(["trace that one"])?;
    // It is still there.
    let script =
        script.replace("os._exit(0)", "time.sleep(60)").replace("os.wait()", "time.sleep(2)");
    let script = script.replace("time.sleep(3)", "sum(range(10**7)); time.sleep(3)");
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", &script])?;
    let fits = r"done by its child (\d+) \(python3[.\d]*\), a fork; look at it: trace --pid \d+";
    told.exits(0)?.fits([fits])?.says_not(["trace that one"])?;
    Ok(())
}

/// Neither one that only lives longer, nor one that worked for a moment.
fn child_of_several() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &["sh", "-c", "sleep 30.5 & sleep 1.2; exit 0"])?;
    told.exits(0)?
        .fits([r"done by its child \d+ \(sleep\); trace that one: trace -- sleep 1\.2"])?;
    let script = "import subprocess, sys, time
subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])
time.sleep(2.5)";
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", script])?;
    told.exits(0)?.says_not(["done by"])?;
    Ok(())
}

/// A child that ends with its parent is not told as one that lives on.
fn child_ending() -> Result<(), Failed> {
    let script = "exec 3> >(cat > /dev/null; sleep 0.02); sleep 0.3";
    one_time(|| {
        let told = Place::new()?.trace(&[], &["bash", "-c", script])?;
        told.exits(0)?.says_not(["lives on", "lived on"])?;
        Ok(())
    })
}

/// Whatever ends the tracer, nothing of it stays, and neither does the program.
fn killed() -> Result<(), Failed> {
    for (program, argument) in [(program("writes"), ""), ("sleep".to_owned(), "96.5")] {
        let place = Place::new()?;
        let _unread = unread_pipe(&place.path("pipe"))?;
        let mut running = place.start(&[], &[&program, argument])?;
        within(Duration::from_secs(10), || place.processes().len() >= 2)
            .map_err(|()| format!("{program} has not started"))?;
        thread::sleep(Duration::from_millis(150));
        running.signal(Signal::SIGKILL)?;
        ended_within(&mut running.tracer, Duration::from_secs(5))?.ok_or("it lives on")?;
        if !place.is_left_by_all() {
            return Err(format!("{program}: {:?} are left", place.processes()).into());
        }
    }
    Ok(())
}

/// Neither page nor JSON holds the environment or what is in files; with one option no arguments and lines.
fn secrets() -> Result<(), Failed> {
    let place = Place::new()?;
    let _unread = unread_pipe(&place.path("pipe"))?;
    let (page, json) = (place.beside("page.html"), place.beside("private.json"));
    let shell = "echo said-aloud; exec \"$0\" \"$@\"";
    let run = |options: &[&str]| -> Result<String, Failed> {
        let output = within_a_minute(&TRACER)
            .args(["trace", "--html", &page, "--json", &json, "--signal", "TERM@0.5"])
            .args(options)
            .args(["--", "sh", "-c", shell, &program("writes"), "argued"])
            .env("TOKEN", "swordfish")
            .current_dir(place.path(""))
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(stderr + &fs::read_to_string(&page)? + &fs::read_to_string(&json)?)
    };
    for (options, shown) in [(&[][..], true), (&["--private"], false)] {
        let told = run(options)?;
        for (text, may_be) in [
            ("swordfish", false),
            ("hunter2", false),
            ("argued", shown),
            ("said-aloud", shown),
            ("journal.txt", true),
        ] {
            if told.contains(text) != may_be {
                return Err(format!("{options:?}, {text}: {}\n{told}", !may_be).into());
            }
        }
    }
    // The page needs nothing but itself.
    let page = fs::read_to_string(&page)?;
    let is_alone =
        !["src=\"http", "href=\"//", "@import", "url(http"].iter().any(|part| page.contains(part));
    if is_alone { Ok(()) } else { Err("the page needs something else".into()) }
}
