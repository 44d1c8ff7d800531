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

use crate::report::MOST_LINES;

/// How much of a line is kept.
const LENGTH: usize = 300;

/// How much of what came at once is looked through for them.
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
    lines: VecDeque<(Instant, bool, Vec<u8>, bool)>,
    first: Option<Instant>,
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
        let told = kept.lines.iter().map(|(at, stderr, line, whole)| Printed {
            at: at.saturating_duration_since(start).as_secs_f64(),
            stderr: *stderr,
            line: String::from_utf8_lossy(line).trim_end_matches('\r').to_owned(),
            whole: *whole,
        });
        told.collect()
    }

    fn take(&self, bytes: &[u8], stderr: bool) {
        let now = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.first.get_or_insert(now);
        let mut window = bytes;
        if bytes.len() > WINDOW {
            window = &bytes[bytes.len() - WINDOW..];
            let begins = window.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            window = &window[begins..];
            kept.lines.retain(|(_, of, _, whole)| *of != stderr || *whole);
        }
        for piece in window.split_inclusive(|byte| *byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
            let open = kept.lines.iter_mut().rev().find(|(_, of, ..)| *of == stderr);
            match open {
                Some((_, _, line, whole)) if !*whole => {
                    let room = LENGTH.saturating_sub(line.len()).min(piece.len());
                    line.extend_from_slice(&piece[..room]);
                    *whole = is_whole;
                }
                _ => {
                    let line = piece[..piece.len().min(LENGTH)].to_vec();
                    kept.lines.push_back((now, stderr, line, is_whole));
                    if kept.lines.len() > MOST_LINES {
                        kept.lines.pop_front();
                    }
                }
            }
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
                lines.take(printed, stderr);
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
