//! Small programs in C whose threads end in a known way.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use nix::sys::signal::Signal;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::Test;
use crate::programs::program;
use crate::traced::Place;

pub const TESTS: &[Test] = &[
    ("threads::joined-and-cut", &["cc"], joined_and_cut),
    ("threads::static-musl", &["musl-gcc"], static_musl),
    ("threads::fault", &["cc"], fault),
    ("threads::cut-writer", &["cc"], cut_writer),
    ("threads::five-hundred", &["cc"], || many(500, Duration::from_secs(10))),
    ("threads::five-thousand", &["cc"], || many(5000, Duration::from_secs(30))),
    ("threads::exec", &["cc"], exec),
    ("threads::main-exits", &["cc"], main_exits),
    ("threads::daemon", &["cc"], daemon),
    ("threads::sort", &["sort"], sort),
];

/// A pipe with a name that somebody has open and nobody reads.
pub fn unread_pipe(path: &Path) -> Result<File, Failed> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

fn joined_and_cut() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &[&program("joins")])?;
    told.exits(5)?
        .fits([
            r"ended after [\d.]+ s: exit code 5, by main",
            r"main ended the process",
            r"worker ended by itself at [\d.]+ s; main was seen waiting for it",
            r"idle cut off, asleep, 9\d\.\d s to go nobody was seen waiting for idle waits",
            r"main 0\.[23]\d* s joining worker",
            r"read \d\d-heartbeat",
        ])?
        .says_not(["thread 2", "thread 3"])?
        .holds(told.threads("") == 3, "three threads")?;
    Ok(())
}

/// Its C library joins by a private futex, and then by one that is not, for the last moment: so the wait is
/// seen and not its reason, and the one who waits is seen or not.
fn static_musl() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &[&program("static")])?;
    told.exits(5)?
        .fits([
            r"worker ended by itself at [\d.]+ s; main was seen waiting for it|nobody was seen waiting for any of them",
            r"idle cut off, asleep, 9\d\.\d s to go",
            r"main 0\.[23]\d* s waiting for another thread \(futex\)",
        ])?
        .says_not(["joining"])?;
    Ok(())
}

fn fault() -> Result<(), Failed> {
    let place = Place::new()?;
    let told = place.trace(&[], &[&program("fault")])?;
    told.dies_of(Signal::SIGSEGV)?
        .says([
            "SIGSEGV, for a fault in reader",
            "reader cut off, crashed here",
            "read 05-ways-to-exit",
        ])?
        .says_not(["computing", "from process", "reader ended by itself"])?
        .holds(fs::read_dir(place.path(""))?.count() == 0, "no core is left")?;
    Ok(())
}

fn cut_writer() -> Result<(), Failed> {
    let place = Place::new()?;
    let _unread = unread_pipe(&place.path("pipe"))?;
    let told = place.trace(&["--signal", "TERM@0.7"], &[&program("writes")])?;
    told.dies_of(Signal::SIGTERM)?
        .prints("ready\n")?
        .fits([
            r"SIGTERM from this tracer",
            r"main cut off, waiting for another thread \(futex\)",
            r"writer cut off, in `write` to pipe; main was seen waiting for it",
            r"main 0\.\d+ s joining writer",
            r"journal\.txt: 22 bytes, no line feed at its end, open at the end",
            r"read 08-truncated-write",
        ])?
        .says_not(["nobody", "writer ended", "changed meanwhile"])?
        .hides("hunter2")?;
    Ok(())
}

fn many(count: usize, limit: Duration) -> Result<(), Failed> {
    let start = Instant::now();
    let told = Place::new()?.trace(&[], &[&program("many"), &count.to_string()])?;
    let took = start.elapsed();
    told.exits(0)?
        .says([&*format!("{count} threads (many) cut off, asleep"), "main ended the process"])?
        .says_not(["ended by themselves", "ended by itself"])?
        .holds(told.threads("cut") == count, "all but main are cut off, in the JSON too")?
        .holds(took < limit, &format!("in {limit:?}; it took {took:?}"))?;
    Ok(())
}

fn exec() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &[&program("replaced")])?;
    told.exits(7)?
        .fits([
            r"exit code 7, by main",
            r"thread 2 \(replaced\) replaced by another program at [\d.]+ s",
            r"main 0\.[12]\d* s asleep",
        ])?
        .says_not(["cut off"])?
        .holds(told.threads("replaced") == 1, "one thread is replaced")?;
    Ok(())
}

fn main_exits() -> Result<(), Failed> {
    let told = Place::new()?.trace(&[], &[&program("main_exits")])?;
    told.exits(0)?
        .fits([
            r"main ended by itself at [\d.]+ s",
            r"exit code 0, by worker",
            r"worker ended the process",
        ])?
        .says_not(["by main"])?;
    Ok(())
}

fn daemon() -> Result<(), Failed> {
    let place = Place::new()?;
    let told = place.trace(&[], &[&program("daemon")])?;
    told.exits(0)?.fits([r"lives on process \d+: sleep 97\.5", r"read 23-orphan-process"])?;
    let child = told.json["children"][0]["pid"].as_i64().unwrap_or_default();
    let alive = place.processes().iter().any(|pid| i64::from(pid.as_raw()) == child);
    told.holds(alive, "the daemon lives on when the tracer has gone")?;
    Ok(())
}

/// Its output is nobody's but its own.
fn sort() -> Result<(), Failed> {
    let place = Place::new()?;
    let mut dice = fastrand::Rng::with_seed(1);
    let mut lines: Vec<String> = (0..300_000).map(|_| format!("{:016x}\n", dice.u64(..))).collect();
    fs::write(place.path("lines"), lines.concat())?;
    let command = ["env", "LC_ALL=C", "sort", "--parallel=4", "-S", "200M", "lines"];
    let told = place.trace(&[], &command)?;
    lines.sort_unstable();
    told.exits(0)?
        .holds(told.stdout == lines.concat().as_bytes(), "stdout is sort's alone")?
        .holds(told.threads("ended") >= 3, "three threads ended by themselves")?
        .holds(told.threads("cut") == 0, "none was cut off")?
        .says(["main ended the process", "ended by itself"])?
        .says_not(["(sort) cut off", "lives on"])?;
    Ok(())
}
