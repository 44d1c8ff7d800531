//! The log line that every lesson prints, and the only place that defines it.
//!
//! ```text
//!  0.000s main       my own work takes 3.5 s
//!  1.001s heartbeat  beat 2
//! ```
//!
//! Time since [`init`] in seconds, the thread's name, the message. Lessons write it through
//! `tracing`; the self-check and the book read it back as a [`LogLine`].

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Starts the clock of this program and sends its `tracing` events to stdout.
///
/// A line is built in memory and handed to stdout in one call, so that a thread that is cut off
/// at exit leaves a whole line or none; of a file, the border of a page may still tear one. A line
/// that cannot be written, because the reader of a pipe is gone or a disk is full, is lost, and
/// nothing else is: no lesson's work depends on its log.
///
/// # Panics
///
/// If it is called twice, or after another `tracing` subscriber was set.
pub fn init() {
    tracing_subscriber::fmt()
        .with_writer(io::stdout)
        // By default a failed write is told with `eprintln!`, which panics if stderr is gone, too.
        .log_internal_errors(false)
        .event_format(LogFormat { start: Instant::now() })
        .init();
}

/// Says on stderr, in one line, why a program gives up, and returns its exit code, 1.
///
/// Unlike `eprintln!` it does not panic if nobody can read that line: the exit code is to be the same.
pub fn failure(why: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "{why}");
    ExitCode::FAILURE
}

/// One line of a lesson's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Time since the program's [`init`], kept to the millisecond.
    pub at: Duration,
    /// Name of the thread that logged; without white space.
    pub thread: String,
    /// The message.
    pub text: String,
}

impl Display for LogLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { at, thread, text } = self;
        write!(f, "{:>6}s {thread:<THREAD_WIDTH$} {text}", seconds(*at))
    }
}

impl FromStr for LogLine {
    type Err = NotALogLine;

    /// Reads one line, without its line feed, exactly as [`Display`] writes it.
    fn from_str(line: &str) -> Result<Self, NotALogLine> {
        let (stamp, rest) =
            line.trim_start().split_once("s ").ok_or(NotALogLine)?;
        let (seconds, millis) = stamp.split_once('.').ok_or(NotALogLine)?;
        let seconds = seconds.parse().map_err(|_| NotALogLine)?;
        let millis = millis.parse().map_err(|_| NotALogLine)?;
        let (thread, _) = rest.split_once(' ').ok_or(NotALogLine)?;
        let column = thread.chars().count().max(THREAD_WIDTH);
        let parsed = Self {
            at: Duration::from_secs(seconds)
                .checked_add(Duration::from_millis(millis))
                .ok_or(NotALogLine)?,
            thread: thread.to_owned(),
            text: rest.chars().skip(column + 1).collect(),
        };
        if parsed.to_string() == line { Ok(parsed) } else { Err(NotALogLine) }
    }
}

/// A line that no lesson's log wrote: a plain `println!`, or one that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALogLine;

impl Display for NotALogLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("not a line of a lesson's log: expected `1.001s thread text`")
    }
}

impl Error for NotALogLine {}

const THREAD_WIDTH: usize = 10;

fn seconds(at: Duration) -> String {
    format!("{}.{:03}", at.as_secs(), at.subsec_millis())
}

struct LogFormat {
    start: Instant,
}

impl<S> FormatEvent<S, DefaultFields> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        let line = LogLine {
            at: self.start.elapsed(),
            thread: thread::current().name().unwrap_or("unnamed").to_owned(),
            text,
        };
        writeln!(writer, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(millis: u64, thread: &str, text: &str) -> LogLine {
        LogLine {
            at: Duration::from_millis(millis),
            thread: thread.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn columns_stay_straight() {
        assert_eq!(
            line(0, "main", "start").to_string(),
            " 0.000s main       start"
        );
        assert_eq!(
            line(10_050, "heartbeat", "beat 11").to_string(),
            "10.050s heartbeat  beat 11"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for original in [
            line(1_001, "heartbeat", "beat 2"),
            line(123_456, "a-rather-long-thread-name", "text"),
            line(7, "心跳", "  text that begins with spaces"),
            line(7, "main", ""),
        ] {
            assert_eq!(original.to_string().parse(), Ok(original));
        }
    }

    #[test]
    fn other_lines_are_not_log_lines() {
        for other in
            ["", "hello", "hello s world", "0.5s main       x", " 1.001s heartbeat"]
        {
            assert_eq!(other.parse::<LogLine>(), Err(NotALogLine), "{other:?}");
        }
    }
}
