//! An exit handler that calls `exit` once more: the end of an end.

use std::io::{self, Write};
use std::process::{self, ExitCode};

fn main() -> ExitCode {
    match register_exit_handler() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

#[expect(clippy::exit, reason = "what this program is about")]
extern "C" fn exit_handler() {
    let _ = writeln!(io::stdout(), "the exit handler exits");
    process::exit(3);
}

#[expect(unsafe_code, reason = "std has no exit handlers, only C has")]
fn register_exit_handler() -> io::Result<()> {
    // SAFETY: it may run at any time, beside all other threads: what it uses is
    // synchronised.
    match unsafe { libc::atexit(exit_handler) } {
        0 => Ok(()),
        _ => Err(io::Error::other("no room for an exit handler")),
    }
}
