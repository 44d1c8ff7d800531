//! Programs in Python, Java and Go.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use named::self_check::guarded;
use nix::sys::signal::Signal;
use workbook::workbook::Workbook;

use crate::Test;
use crate::programs::{PYTHON, program, source};
use crate::threads::unread_pipe;
use crate::traced::{Place, Told, one_time};

pub const TESTS: &[Test] = &[
    ("python::pool", &["python3"], pool),
    ("python::queue", &["python3"], queue),
    ("python::queue-deaf", &["python3"], deaf_queue),
    ("python::short-sleeps", &["python3"], || one_time(short_sleeps)),
    ("python::nightly", &["python3"], || one_time(nightly)),
    ("java::hook", &["javac"], hook),
    ("java::hang", &["javac"], java_hang),
    ("python::traceback", &["python3"], traceback),
    ("go::without-shutdown", &["go"], without_shutdown),
    ("go::shutdown", &["go"], shutdown),
];

/// The interpreter waits for a pool's threads by locks of its own, which nobody can tell from others.
fn pool() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &[&PYTHON, &source("pool.py")])?;
    told.exits(0)?
        .prints("main is done\n")?
        .fits([
            r"exit code 0, by main",
            r"thread 2 \(python3[.\d]*\) cut off, asleep, 5\d\.\d s to go thread 3",
            r"thread 3 \(python3[.\d]*\) ended by itself at [\d.]+ s thread 4",
            r"nobody was seen waiting for any of them waits",
            r"main 0\.[2-5]\d* s waiting for another thread \(futex\)",
            r"printed [\d.]+ s: main is done",
        ])?
        .says_not(["joining", "main was seen waiting", "lives on"])?
        .holds(told.threads("ended") == 3, "the pool's three threads ended by themselves")?
        .holds(told.threads("cut") == 1, "the daemon was cut off")?;
    Ok(())
}

fn queue() -> Result<(), Failed> {
    let told = Place::new()?.trace(&["--for", "3"], &[&PYTHON, "-IS", &source("queue_get.py")])?;
    told.dies_of(Signal::SIGTERM)?
        .fits([
            r"ended after 3(\.\d+)? s: SIGTERM from this tracer",
            r"main cut off, waiting for another thread \(futex\), no time limit; so already at 3(\.\d+)? s",
            r"thread 2 \(python3[.\d]*\) cut off, waiting for another thread \(futex\), no time limit; so already at 3(\.\d+)? s",
        ])?
        .says_not(["joining", "SIGKILL"])?;
    Ok(())
}

fn deaf_queue() -> Result<(), Failed> {
    let python = [&*PYTHON, "-IS", &source("queue_get.py"), "deaf"];
    let told = Place::new()?.trace(&["--for", "3"], &python)?;
    told.dies_of(Signal::SIGKILL)?.prints("it waits\nnot now\n")?.fits([
        r"ended after 8(\.\d+)? s: SIGKILL from this tracer",
        r"thread 2 \(python3[.\d]*\) cut off, waiting for another thread \(futex\), no time limit; so already at 3(\.\d+)? s",
        r"SIGTERM did not end it, SIGKILL had to",
    ])?;
    Ok(())
}

/// Many short waits are not told as one long one, and one long one is.
fn short_sleeps() -> Result<(), Failed> {
    let script = "import time
for _ in range(30): time.sleep(0.05)
time.sleep(0.8)";
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", script])?;
    told.exits(0)?
        .fits([r"main [\d.]+ s asleep, in several calls, from", r"main 0\.[78]\d* s asleep, from"])?
        .says_not(["2.3 s asleep"])?;
    let waits = told.json["waits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let long = waits.iter().filter(|wait| {
        let length = wait["to"].as_f64().zip(wait["from"].as_f64()).map(|(to, from)| to - from);
        wait["several"] == false && length > Some(0.3)
    });
    told.holds(long.count() == 1, "one wait of more than 0.3 s is one call")?;
    let script = "import time; time.sleep(1.5)";
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", script])?;
    told.exits(0)?.fits([r"main 1\.[45]\d* s asleep, from"])?.says_not(["several"])?;
    Ok(())
}

/// What the page of lesson 18 shows.
fn nightly() -> Result<(), Failed> {
    let script = Workbook::home().join("lessons/18-still-alive/trace/nightly.py");
    let told = Place::new()?.trace(&[], &[&PYTHON, &script.to_string_lossy()])?;
    told.exits(0)?
        .prints("the night's work is done\n")?
        .says([
            "orders.csv: 8,191 bytes, no line feed at its end",
            "nobody was seen waiting for thread 2 (python3",
            "read 08-truncated-write",
        ])?
        .says_not(["main was seen waiting", "orders.csv: 0 bytes"])?;
    Ok(())
}

fn hook() -> Result<(), Failed> {
    let place = Place::new()?;
    let _unread = unread_pipe(&place.path("pipe"))?;
    let running = place.start(&[], &["java", "-cp", &program(""), "Hook"])?;
    place.wait_for("ready")?;
    thread::sleep(Duration::from_millis(300));
    running.signal(Signal::SIGTERM)?;
    let told = running.told()?;
    told.exits(143)?
        .prints("ready\nthe hook has run\n")?
        .fits([
            r"exit code 143",
            r"writer cut off, in `write` to pipe",
            r"journal\.txt: 20 bytes, no line feed at its end, open at the end",
            r"read 08-truncated-write",
        ])?
        .says_not(["writer ended"])?;
    // Java waits for what a hook does and not for the kernel's thread, which may be cut off in its own end.
    let threads = told.json["threads"].as_array();
    let is_there = threads.into_iter().flatten().any(|thread| thread["name"] == "hook");
    told.holds(is_there, "the hook is told by its name")?;
    Ok(())
}

/// The threads of the program come first, and those of the machine below it are one row.
fn java_hang() -> Result<(), Failed> {
    let place = Place::new()?;
    let java = ["java", "-cp", &program(""), "Hang"];
    let told = place.trace(&["--for", "2"], &java)?;
    told.exits(143)?
        .fits([
            r"threads the launcher .*Java's main .*settlement .*\d+ threads of the JVM",
            r"settlement cut off, waiting for another thread",
            r"the launcher [12][.\d]* s joining Java's main",
            r"the launcher was seen waiting for it",
            r"`jstack PID` tells",
            r"read 18-still-alive",
        ])?
        .says_not(["GC Thread", "Finalizer", "C2 Comp", "Sweeper", "SIGTERM handler"])?;
    let mut running = guarded(java[0]).args(&java[1..]).stdout(Stdio::null()).spawn()?;
    thread::sleep(Duration::from_millis(1500));
    let told = place.start_as(&["trace", "--pid", &running.id().to_string()])?.told();
    let id = running.id();
    running.kill()?;
    running.wait()?;
    told?
        .exits(0)?
        .fits([
            r"threads the launcher .*Java's main .*settlement .*\d+ threads of the JVM",
            &format!(r"jstack {id}"),
        ])?
        .says_not(["GC Thread", "Finalizer"])?;
    Ok(())
}

/// The head of what went wrong is told, whatever came after it.
fn traceback() -> Result<(), Failed> {
    let script = "import sys, threading
writer = threading.Thread(target=lambda: 1 / 0, name='writer')
writer.start()
writer.join()
for line in range(300): print('later', line, file=sys.stderr)";
    let told = Place::new()?.trace(&[], &[&PYTHON, "-IS", "-c", script])?;
    told.exits(0)?.fits([
        r"printed [\d.]+ s on stderr: Exception in thread writer:",
        r"later 297 .*later 298 .*later 299",
        r"read 16-panicking-worker",
    ])?;
    let told = Place::new()?.trace(&["--private"], &[&PYTHON, "-IS", "-c", script])?;
    told.says_not(["writer"])?.hides("writer")?;
    Ok(())
}

/// The server under SIGTERM while it works at an answer; what the client got.
fn serve(arguments: &[&str]) -> Result<(Told, String), Failed> {
    let place = Place::new()?;
    let server = program("serve");
    let running = place.start(&[], &[&[&*server], arguments].concat())?;
    place.wait_for("listening on ")?;
    let printed = place.printed();
    let address = printed.lines().find_map(|line| line.strip_prefix("listening on "));
    let mut client = TcpStream::connect(address.unwrap_or_default().trim())?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    place.wait_for("asked")?;
    running.signal(Signal::SIGTERM)?;
    let mut answer = Vec::new();
    // A server that dies breaks the connection off.
    let _ = client.read_to_end(&mut answer);
    Ok((running.told()?, String::from_utf8_lossy(&answer).into_owned()))
}

/// Go's runtime catches the signal and raises it again; it is another process that sent it.
fn without_shutdown() -> Result<(), Failed> {
    let (told, answer) = serve(&[])?;
    told.dies_of(Signal::SIGTERM)?
        .fits([
            r"SIGTERM from process \d+ \(trace[^)]*\), and raised again",
            r"read 14-graceful-sigterm",
        ])?
        .says_not(["joining", "ended by itself", "from this tracer"])?
        .holds(answer.is_empty(), "the client got no answer")?;
    Ok(())
}

fn shutdown() -> Result<(), Failed> {
    let (told, answer) = serve(&["graceful"])?;
    told.exits(0)?
        .fits([r"exit code 0, by (main|thread \d+)", r"printed.* shut down"])?
        .says_not(["joining", "SIGTERM ended it"])?
        .holds(told.stdout.ends_with(b"asked\nshut down\n"), "it was shut down")?
        .holds(answer.ends_with("done\n"), "the client got its answer")?;
    Ok(())
}
