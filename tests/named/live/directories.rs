//! Where the runs of a page have their files.

use std::fs;

use libtest_mimic::Failed;
use nix::sys::signal::Signal;
use serde_json::Value;

use super::server::{Start, Stream, wait_for};
use super::small::{LESSON, PAGE, SMALL};
use super::{Test, has, is};

/// It writes the file that the lesson's own program writes, and gives up where that is locked.
const OTHER: &str = "critical-worker::detached";

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("directories: two at once in a page have one each", two_at_once),
        Test::new(
            "directories: a run that is stopped leaves its own to the next",
            one_after_another,
        ),
    ]
}

fn two_at_once() -> Result<(), Failed> {
    let server = Start::of(SMALL.root(), &SMALL.target())?.start()?;
    let mut first = server.run(LESSON, PAGE)?;
    first.until("picture")?;
    let mut second = server.run(OTHER, PAGE)?;
    let kept = |stream: &mut Stream| -> Result<Value, Failed> { Ok(stream.last()?["kept"].take()) };
    let both = (kept(&mut first)?, kept(&mut second)?);
    is("what is kept", both, (true.into(), true.into()))?;
    // That of the page is there until it starts over.
    server.is_at_rest(1)?;
    server.end(Signal::SIGTERM)
}

fn one_after_another() -> Result<(), Failed> {
    let server = Start::of(SMALL.root(), &SMALL.target())?.start()?;
    let mut first = server.run(LESSON, PAGE)?;
    first.until("picture")?;
    let its_own = || {
        let entries = fs::read_dir(server.directory()?).ok()?.flatten();
        entries.map(|entry| entry.path()).find(|path| path.join("journal.txt").is_file())
    };
    fs::write(wait_for("its directory", its_own)?.join("notes"), "")?;
    drop(first);
    let last = server.run(LESSON, PAGE)?.last()?;
    is("whether it is kept", &last["kept"], &false.into())?;
    has(last["done"].as_str().unwrap_or_default(), "there is notes</td>")?;
    server.end(Signal::SIGTERM)
}
