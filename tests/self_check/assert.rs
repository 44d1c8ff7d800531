//! Holds a run against what is promised by an assertion of assert_cmd.
//!
//! A module and no library: `cargo run` builds the libraries of all default members, and whoever wants
//! to read the book would wait for it.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Output};

use assert_cmd::assert::{Assert, AssertError, AssertResult};
use workbook::promise::judge::{Broken, Kept, Ran, reason};
use workbook::promise::{Exit, Promise, Run, Stream};

/// All that is not as promised of a run. What the program printed and its exit code are held by one
/// assertion, which every promise of them hangs its predicate into; the rest has none in `assert_cmd`.
pub fn breaks(promised: &Run, ran: &Ran) -> Vec<Broken> {
    let status = match ran.exit {
        Exit::Code(code) => ExitStatus::from_raw(code << 8),
        Exit::Signal(signal) => ExitStatus::from_raw(signal),
    };
    let (stdout, stderr) = (ran.stdout.clone(), ran.stderr.clone());
    let assert = Assert::new(Output { status, stdout, stderr });
    let mut held = Held(Some(assert));
    ran.broken(promised, |promise| match (promise, ran.exit) {
        (Promise::Exit(exit @ Exit::Code(_)), Exit::Code(code)) if ran.end.is_its_own() => {
            let kept = Kept(exit);
            let result = held.0.take()?.try_code(kept);
            if held.is_kept(result) { None } else { reason(&kept, &code) }
        }
        (Promise::Lines(stream, lines), _) => {
            let (kept, assert) = (Kept(lines), held.0.take()?);
            let result = match stream {
                Stream::Stdout => assert.try_stdout(kept),
                Stream::Stderr => assert.try_stderr(kept),
            };
            if held.is_kept(result) { None } else { reason(&kept, ran.printed(*stream)) }
        }
        _ => promise.but(ran),
    })
}

/// The assertion, from one predicate to the next. It is there whenever none is being asked.
struct Held(Option<Assert>);

impl Held {
    /// Takes the assertion back, and tells whether a predicate holds of it.
    fn is_kept(&mut self, result: AssertResult) -> bool {
        let is_kept = result.is_ok();
        self.0 = Some(result.unwrap_or_else(AssertError::assert));
        is_kept
    }
}
