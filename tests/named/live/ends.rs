//! What is under way ends with its page and with the server, and nothing of it is left.

use std::fs::{self, File};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use serde_json::json;

use super::server::{Server, Start, soon, wait_for};
use super::small::{EXERCISE, LESSON, PAGE, SLOW, SMALL};
use super::{Test, is};

/// What is under way.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Run,
    /// Of a program that the compiler does not come to an end with.
    Build,
}

/// Who ends it.
#[derive(Clone, Copy)]
enum By {
    Page,
    Signal(Signal),
    /// The keys of a terminal; `close` closes it.
    Keys(&'static [u8]),
}

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    let ends = [
        ("its page is closed", By::Page, &[][..]),
        ("SIGINT ends the server", By::Signal(Signal::SIGINT), &[]),
        ("SIGTERM ends the server", By::Signal(Signal::SIGTERM), &[]),
        ("SIGHUP ends the server", By::Signal(Signal::SIGHUP), &[]),
        ("SIGKILL ends the server", By::Signal(Signal::SIGKILL), &[]),
        ("Ctrl-C is pressed", By::Keys(b"\x03"), &["python3"]),
        ("the terminal is closed", By::Keys(b"close"), &["python3"]),
    ];
    for (when, by, needs) in ends {
        for (name, what) in [("run", What::Run), ("build", What::Build)] {
            let name = format!("ends::of a {name} nothing is left when {when}");
            tests.push(Test::new(name, move || ends_by(what, by)).needs(needs));
        }
    }
    let name = "ends::of a saved exercise is told also where its directory is another one";
    tests.push(Test::new(name, saved_in_another_directory));
    let name = "ends::what ends while the server stands still is not late";
    tests.push(Test::new(name, stands_still));
    let name = "ends::no build begins when the exercise is saved while the book is closed";
    tests.push(Test::new(name, saved_while_it_closes));
    tests
}

/// Two builds would wait for each other.
static ONE_BUILD: Mutex<()> = Mutex::new(());

fn ends_by(what: What, by: By) -> Result<(), Failed> {
    let _turn =
        (what == What::Build).then(|| ONE_BUILD.lock().unwrap_or_else(PoisonError::into_inner));
    let small = if what == What::Run { &SMALL } else { &SLOW };
    let start = Start::of(small.root(), &small.target())?;
    let server = match by {
        By::Keys(_) => start.in_a_terminal()?,
        _ => start.start()?,
    };
    let stream = match what {
        What::Run => {
            let mut stream = server.run(LESSON, PAGE)?;
            stream.until("picture")?;
            stream
        }
        What::Build => {
            let stream = server.run("exercise::critical-worker", PAGE)?;
            wait_for("the compiler", || compiles(&server).then_some(()))?;
            stream
        }
    };
    match by {
        By::Page => {
            drop(stream);
            server.is_at_rest(usize::from(what == What::Run))?;
            server.end(Signal::SIGTERM)?;
        }
        By::Signal(signal) => server.end(signal)?,
        By::Keys(keys) => server.end_by_keys(keys)?,
    }
    if what == What::Build { lock_is_free() } else { Ok(()) }
}

fn saved_while_it_closes() -> Result<(), Failed> {
    let _turn = ONE_BUILD.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Start::of(SLOW.root(), &SLOW.target())?.start()?;
    let job = json!({ "id": "exercise::critical-worker", "page": PAGE, "on_save": true });
    let _stream = server.post("/api/run", &job).stream()?;
    wait_for("the compiler", || compiles(&server).then_some(()))?;
    SLOW.save_the_exercise()?;
    // The next build would begin 0.2 s after it was saved, and the server ends 0.3 s after it was told.
    thread::sleep(Duration::from_millis(100));
    server.end(Signal::SIGINT)?;
    lock_is_free()
}

/// As when another branch is looked at, which has not the lesson.
fn saved_in_another_directory() -> Result<(), Failed> {
    let _turn = ONE_BUILD.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Start::of(SLOW.root(), &SLOW.target())?.start()?;
    let job = json!({ "id": "exercise::critical-worker", "page": PAGE, "on_save": true });
    let mut stream = server.post("/api/run", &job).stream()?;
    let directory = SLOW.root().join(EXERCISE);
    let directory = directory.parent().ok_or("no directory")?;
    let away = directory.with_extension("away");
    fs::rename(directory, &away)?;
    stream.until("failed")?;
    fs::create_dir(directory)?;
    for entry in fs::read_dir(&away)? {
        let path = entry?.path();
        fs::copy(&path, directory.join(path.file_name().unwrap_or_default()))?;
    }
    fs::remove_dir_all(&away)?;
    stream.until("run")?;
    wait_for("the compiler", || compiles(&server).then_some(()))?;
    SLOW.save_the_exercise()?;
    stream.until("run")?;
    server.end(Signal::SIGTERM)
}

/// As after Ctrl-Z, until `fg`.
fn stands_still() -> Result<(), Failed> {
    let server = Start::of(SMALL.root(), &SMALL.target())?.start()?;
    let mut stream = server.run("critical-worker::detached", PAGE)?;
    stream.until("picture")?;
    // It ends after 5 s.
    thread::sleep(Duration::from_secs(4));
    kill(server.pid, Signal::SIGSTOP)?;
    thread::sleep(Duration::from_secs(3));
    kill(server.pid, Signal::SIGCONT)?;
    is("whether it is kept", &stream.last()?["kept"], &true.into())?;
    server.end(Signal::SIGTERM)
}

/// Whether the exercise is being compiled.
fn compiles(server: &Server) -> bool {
    server
        .under_way()
        .iter()
        .any(|line| line.contains("rustc --crate-name critical_worker_exercise"))
}

/// Whoever builds next does not wait for a lock.
fn lock_is_free() -> Result<(), Failed> {
    let lock = File::options().write(true).open(SLOW.target().join("debug/.cargo-lock"))?;
    soon("is locked", || lock.try_lock().err().into_iter().collect())
}
