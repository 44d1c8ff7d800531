//! Times and ends as the exam tells them.

use std::time::Duration;

use workbook::promise::Exit;

use crate::report::words::seconds;

/// A length of time.
pub fn time(time: Duration) -> String {
    seconds((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// How a process ended, as the end of `it ended …`.
pub fn exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("with exit code {code}"),
        Exit::Signal(_) => format!("by {exit}"),
    }
}
