//! What a program prints: it goes on to where it was to go, and the last lines are kept.
//!
//! Where the reader has a terminal the program has one as well, so that it prints in the same way as
//! without us; else it has a pipe. What it prints is handed on as it comes, byte for byte. Where both
//! of the reader's streams lead to the same place they are one here, too: else their lines would change
//! places.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, pipe};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open};
use rustix::process::getpgrp;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    tcsetwinsize,
};
use workbook::tracer::Printed;

use crate::report::{LONGEST_LINE, MOST_LINES};

/// How many bytes of a line are kept: a longer one is longer than what is told of it, in whatever letters.
const LENGTH: usize = 4 * (LONGEST_LINE + 1);

/// What the first line of a report on a failure has in it: in Go, Rust, Python, Java and C++.
const ALARMS: [&[u8]; 5] =
    [b"panic", b"Traceback", b"Exception", b"fatal error", b"terminate called"];

/// How much of what came at once is looked through for the last lines.
const WINDOW: usize = 1 << 13;

/// After less than this there is a short pause, in which more can come: a program that prints in small pieces
/// would have to wake us for each of them.
const PIECE: usize = 1 << 12;
const PAUSE: Duration = Duration::from_millis(1);

/// How often it is asked whether to go on waiting for a reader who does not read.
const ASKS: Duration = Duration::from_millis(20);

/// Both streams of a program that runs.
pub struct Outputs {
    /// The program's ends of standard output and standard error, until it is started.
    given: Option<[OwnedFd; 2]>,
    /// The program's terminals.
    pub terminals: Rc<Vec<Arc<Terminal>>>,
    /// Closed when the program has ended.
    over: Vec<PipeWriter>,
    /// Each reader has one; the end of all of them is heard at the other side.
    reads: Option<Sender<()>>,
    read: Receiver<()>,
    /// The last lines.
    pub lines: Lines,
}

/// A terminal of the program in the place of the reader's.
pub struct Terminal {
    /// While it is read from.
    master: Weak<OwnedFd>,
    stderr: bool,
    /// The modes of the reader's terminal before the program began.
    before: Termios,
    /// Those of the program's when they were last looked at.
    seen: Mutex<Termios>,
}

/// The lines of both streams, and when the first byte came.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    lines: VecDeque<Line>,
    first: Option<Instant>,
    alarm: Option<Line>,
}

#[derive(Clone)]
struct Line {
    at: Instant,
    stderr: bool,
    bytes: Vec<u8>,
    whole: bool,
}

impl Outputs {
    /// Makes the ways for standard output and standard error.
    ///
    /// # Errors
    ///
    /// If the system has no pipe, terminal or thread for it.
    pub fn new() -> io::Result<Self> {
        let (reads, read) = mpsc::channel();
        let mut outputs = Self {
            given: None,
            terminals: Rc::default(),
            over: Vec::new(),
            reads: Some(reads),
            read,
            lines: Lines::default(),
        };
        let mut terminals = Vec::new();
        let stdout = outputs.way(false, &mut terminals)?;
        let stderr = match is_one() {
            true => stdout.try_clone()?,
            false => outputs.way(true, &mut terminals)?,
        };
        outputs.given = Some([stdout, stderr]);
        outputs.terminals = Rc::new(terminals);
        Ok(outputs)
    }

    fn way(&mut self, stderr: bool, terminals: &mut Vec<Arc<Terminal>>) -> io::Result<OwnedFd> {
        let own = own(stderr);
        let (from, given, terminal) = if own.is_terminal() {
            let (master, slave) = terminal(own)?;
            let from = Arc::new(master);
            let before = tcgetattr(own)?;
            let (master, seen) = (Arc::downgrade(&from), Mutex::new(before.clone()));
            (from, slave, Some(Arc::new(Terminal { master, stderr, before, seen })))
        } else {
            let (from, to) = pipe()?;
            (Arc::new(OwnedFd::from(from)), OwnedFd::from(to), None)
        };
        terminals.extend(terminal.clone());
        let (told, over) = pipe()?;
        let (lines, reads) = (self.lines.clone(), self.reads.clone());
        let hand_on = move || {
            hand_on(&from, &told, stderr, terminal.as_deref(), &lines);
            // What the program writes from now on fails, as it would have without us.
            drop(from);
            drop(reads);
        };
        let name = if stderr { "stderr" } else { "stdout" };
        thread::Builder::new().name(name.to_owned()).spawn(hand_on)?;
        self.over.push(over);
        Ok(given)
    }

    /// Gives a command its ends; they are closed here when the command is dropped.
    pub fn give(&mut self, command: &mut Command) {
        if let Some([stdout, stderr]) = self.given.take() {
            command.stdout(stdout).stderr(stderr);
        }
    }

    /// Hands on what is there, after the end. What others that hold the streams print later is lost.
    /// Where nobody takes it, it is asked whether to give up.
    pub fn finish(mut self, mut gives_up: impl FnMut() -> bool) {
        self.over.clear();
        drop(self.reads.take());
        while self.read.recv_timeout(ASKS) == Err(RecvTimeoutError::Timeout) && !gives_up() {}
    }
}

impl Terminal {
    /// Gives the program's terminal the size of the reader's.
    pub fn resize(&self) {
        if let Some(master) = self.master.upgrade()
            && let Ok(size) = tcgetwinsize(own(self.stderr))
        {
            let _ = tcsetwinsize(&*master, size);
        }
    }

    /// Does to the reader's terminal what the program has done to its own, as programs do that fill the
    /// screen: from there come the keys. Gives the modes that it has now.
    pub fn follow(&self) -> Option<Termios> {
        let modes = tcgetattr(&*self.master.upgrade()?).ok()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_same(&seen, &modes) {
            set(own(self.stderr), &modes);
            seen.clone_from(&modes);
        }
        Some(modes)
    }

    /// Gives the reader's terminal the modes that it had before, after a program that could not do so
    /// itself.
    pub fn restore(&self) {
        if tcgetattr(own(self.stderr)).is_ok_and(|now| !is_same(&now, &self.before)) {
            set(own(self.stderr), &self.before);
        }
    }
}

impl Lines {
    /// When the first byte came.
    pub fn first(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first
    }

    /// The last lines, with their times since the start.
    pub fn told(&self, start: Instant) -> Vec<Printed> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lines.iter().map(|line| line.told(start)).collect()
    }

    /// The first line that tells of a failure.
    pub fn alarm(&self, start: Instant) -> Option<Printed> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.alarm.as_ref().map(|line| line.told(start))
    }

    /// Takes what was printed; `errors` where it may tell of a failure.
    fn take(&self, bytes: &[u8], stderr: bool, errors: bool) {
        let at = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.first.get_or_insert(at);
        let mut window = bytes;
        // From the line on in which the window begins; it may be a long one.
        let before = &bytes[..bytes.len().saturating_sub(WINDOW)];
        if let Some(end) = before.iter().rposition(|byte| *byte == b'\n') {
            let passed = bytes[..=end].split_inclusive(|byte| *byte == b'\n');
            window = &bytes[end + 1..];
            if errors && kept.alarm.is_none() {
                let mut passed = passed.map(|line| Line::of(at, stderr, line));
                kept.alarm = passed.find(Line::is_alarm);
            }
            kept.lines.retain(|line| line.stderr != stderr || line.whole);
        }
        for piece in window.split_inclusive(|byte| *byte == b'\n') {
            let kept = &mut *kept;
            let open = kept.lines.iter_mut().rev().find(|line| line.stderr == stderr);
            let line = match open.filter(|line| !line.whole) {
                Some(line) => {
                    line.add(piece);
                    line
                }
                None => {
                    kept.lines.push_back(Line::of(at, stderr, piece));
                    if kept.lines.len() > MOST_LINES {
                        kept.lines.pop_front();
                    }
                    kept.lines.back_mut().expect("one was just put there")
                }
            };
            if errors && kept.alarm.is_none() && line.whole && line.is_alarm() {
                kept.alarm = Some(line.clone());
            }
        }
    }
}

impl Line {
    fn of(at: Instant, stderr: bool, piece: &[u8]) -> Self {
        let mut line = Self { at, stderr, bytes: Vec::new(), whole: false };
        line.add(piece);
        line
    }

    fn add(&mut self, piece: &[u8]) {
        self.whole = piece.ends_with(b"\n");
        let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
        let room = LENGTH.saturating_sub(self.bytes.len()).min(piece.len());
        self.bytes.extend_from_slice(&piece[..room]);
    }

    fn is_alarm(&self) -> bool {
        ALARMS.iter().any(|alarm| self.bytes.windows(alarm.len()).any(|bytes| bytes == *alarm))
    }

    fn told(&self, start: Instant) -> Printed {
        Printed {
            at: self.at.saturating_duration_since(start).as_secs_f64(),
            stderr: self.stderr,
            line: String::from_utf8_lossy(&self.bytes).trim_end_matches('\r').to_owned(),
            whole: self.whole,
        }
    }
}

fn own(stderr: bool) -> BorrowedFd<'static> {
    if stderr { rustix::stdio::stderr() } else { rustix::stdio::stdout() }
}

/// Whether the reader's two streams lead to the same place.
fn is_one() -> bool {
    let [stdout, stderr] = [false, true].map(|stderr| fstat(own(stderr)));
    let (Ok(stdout), Ok(stderr)) = (stdout, stderr) else { return false };
    (stdout.st_dev, stdout.st_ino) == (stderr.st_dev, stderr.st_ino)
}

/// A terminal like the reader's: our end and the program's.
fn terminal(like: BorrowedFd<'_>) -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave =
        open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetattr(&slave, OptionalActions::Now, &tcgetattr(like)?)?;
    tcsetwinsize(&slave, tcgetwinsize(like)?)?;
    Ok((master, slave))
}

fn is_same(one: &Termios, other: &Termios) -> bool {
    let modes = |of: &Termios| (of.input_modes, of.output_modes, of.control_modes, of.local_modes);
    modes(one) == modes(other)
}

/// Sets the modes of the reader's terminal, unless that is another's at this time: then the kernel would
/// stop us.
fn set(terminal: BorrowedFd<'_>, modes: &Termios) {
    if tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()) {
        let _ = tcsetattr(terminal, OptionalActions::Now, modes);
    }
}

/// Until the program's end of the stream is closed, or the program is over and nothing is left, or nobody
/// is there any more to read it.
fn hand_on(
    from: &OwnedFd,
    over: &PipeReader,
    stderr: bool,
    terminal: Option<&Terminal>,
    lines: &Lines,
) {
    let to = own(stderr);
    let errors = stderr || is_one();
    let mut buffer = vec![0; 1 << 16];
    let mut is_over = false;
    loop {
        if !is_over {
            let mut ready = [
                PollFd::new(from, PollFlags::IN),
                PollFd::new(over, PollFlags::IN),
                PollFd::from_borrowed_fd(to, PollFlags::empty()),
            ];
            match poll(&mut ready, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
            }
            if ready[2].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
                return;
            }
            if !ready[1].revents().is_empty() {
                is_over = true;
                let flags = fcntl_getfl(from).unwrap_or_else(|_| OFlags::empty());
                if fcntl_setfl(from, flags | OFlags::NONBLOCK).is_err() {
                    return;
                }
            }
        }
        match rustix::io::read(from, &mut buffer) {
            Ok(0) => return,
            Ok(read) => {
                let mut printed = &mut buffer[..read];
                if terminal.and_then(Terminal::follow).is_some_and(|modes| adds_returns(&modes)) {
                    printed = without_returns(printed);
                }
                lines.take(printed, stderr, errors);
                if write_all(to, printed).is_err() {
                    return;
                }
                if read < PIECE && !is_over {
                    thread::sleep(PAUSE);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            // Nothing is left, or, of a terminal, nobody holds its other end.
            Err(_) => return,
        }
    }
}

/// Whether the program's terminal makes two bytes of a line feed. The reader's does so once more.
fn adds_returns(modes: &Termios) -> bool {
    modes.output_modes.contains(OutputModes::OPOST | OutputModes::ONLCR)
}

/// Takes out the one that the terminal has put before each line feed.
fn without_returns(bytes: &mut [u8]) -> &mut [u8] {
    let mut length = 0;
    for at in 0..bytes.len() {
        if bytes[at] != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            bytes[length] = bytes[at];
            length += 1;
        }
    }
    &mut bytes[..length]
}

/// Past the buffer of `io::stdout`.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &Lines) -> Vec<String> {
        lines.told(Instant::now()).into_iter().map(|printed| printed.line).collect()
    }

    #[test]
    fn a_line_may_come_in_pieces_and_the_last_lines_are_kept() {
        let lines = Lines::default();
        for piece in [&b"fir"[..], b"st\nsecond\nth"] {
            lines.take(piece, false, false);
        }
        lines.take(b"apart\n", true, true);
        lines.take(b"ird\n", false, false);
        assert_eq!(told(&lines), ["first", "second", "third", "apart"]);
        let many: Vec<_> = (0..5000).map(|line| format!("line {line}\n")).collect();
        lines.take(many.concat().as_bytes(), false, false);
        let told = told(&lines);
        assert_eq!((told.len(), told[MOST_LINES - 1].as_str()), (MOST_LINES, "line 4999"));
    }

    #[test]
    fn the_first_line_on_a_failure_is_kept_whatever_comes_after_it() {
        let alarm = |lines: &Lines| lines.alarm(Instant::now()).map(|printed| printed.line);
        let go_on = "and so on, in a line of fifty letters or thereabout\n".repeat(1000);
        // In pieces, at once with what comes after it, and on the other stream.
        let pieces = Lines::default();
        for piece in ["a pan", "ic: one\n", &go_on, "panic: two\n"] {
            pieces.take(piece.as_bytes(), true, true);
        }
        assert_eq!(alarm(&pieces).as_deref(), Some("a panic: one"));
        let at_once = Lines::default();
        at_once.take(
            format!("so\nTraceback (most recent call last):\n{go_on}").as_bytes(),
            true,
            true,
        );
        assert_eq!(alarm(&at_once).as_deref(), Some("Traceback (most recent call last):"));
        let stdout = Lines::default();
        stdout.take(b"don't panic\n", false, false);
        assert_eq!(alarm(&stdout), None);
    }

    /// One bound: what is kept of a line is never less than what is told.
    #[test]
    fn a_long_line_is_kept_as_far_as_it_is_told() {
        for letter in ["a", "\u{e9}", "\u{5fc3}", "\u{1f642}"] {
            let lines = Lines::default();
            lines.take((letter.repeat(5000) + "\n").as_bytes(), false, false);
            let told = told(&lines).concat();
            assert!(told.chars().count() > LONGEST_LINE, "{letter}: {}", told.chars().count());
            assert!(told.starts_with(&letter.repeat(LONGEST_LINE)), "{letter}");
        }
    }
}
