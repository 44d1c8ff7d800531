//! What the service prints, as long as somebody reads it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anstream::adapter::strip_str;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::ioctl_fionbio;

/// Of more lines only the last ones are kept.
const MOST_LINES: usize = 200;
/// A longer line is cut.
const LONGEST_LINE: usize = 2000;
/// No more than this is taken at once of what never stops.
const AT_ONCE: usize = 8 << 20;
/// How long whoever asks for all that was printed waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it came, after the start.
    pub at: Duration,
    /// Whether it came on standard error.
    pub stderr: bool,
    /// Its text.
    pub text: String,
}

/// Reads both streams in a thread of its own, and never waits for their end: what the service has started
/// may hold them open.
#[derive(Debug)]
pub struct Prints {
    shared: Arc<Shared>,
    wish: PipeWriter,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    state: Mutex<State>,
    fulfilled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    /// The beginnings of lines that have no end yet.
    begun: [Vec<u8>; 2],
    /// How many wishes are fulfilled.
    wishes: u64,
}

/// Take what has come.
const TAKE: u8 = b't';
/// Close the reading ends.
const CLOSE: u8 = b'c';

impl Prints {
    /// Begins to read.
    ///
    /// # Errors
    ///
    /// If there is no room for a thread or a pipe.
    pub fn of(
        stdout: Option<impl Into<OwnedFd>>,
        stderr: Option<impl Into<OwnedFd>>,
        start: Instant,
    ) -> io::Result<Self> {
        let streams = [
            stdout.map(|stream| File::from(stream.into())),
            stderr.map(|stream| File::from(stream.into())),
        ];
        for stream in streams.iter().flatten() {
            ioctl_fionbio(stream, true)?;
        }
        let shared = Arc::new(Shared { start, state: Mutex::default(), fulfilled: Condvar::new() });
        let (wished, wish) = io::pipe()?;
        let reader = Arc::clone(&shared);
        thread::Builder::new()
            .name("prints".to_owned())
            .spawn(move || reader.read(streams, wished))?;
        Ok(Self { shared, wish })
    }

    /// All that was printed by now; the last line of a stream may lack its end.
    pub fn lines(&self) -> Vec<Line> {
        self.wish(TAKE);
        let state = self.shared.state();
        let begun = state.begun.iter().zip([false, true]).filter(|(bytes, _)| !bytes.is_empty());
        let now = self.shared.start.elapsed();
        let begun = begun.map(|(bytes, stderr)| Line { at: now, stderr, text: text(bytes) });
        state.lines.iter().cloned().chain(begun).collect()
    }

    /// From now on nobody reads.
    pub fn close(&self) {
        self.wish(CLOSE);
    }

    fn wish(&self, wish: u8) {
        let before = self.shared.state().wishes;
        if (&self.wish).write_all(&[wish]).is_ok() {
            let state = self.shared.state();
            let is_open = |state: &mut State| state.wishes == before;
            drop(self.shared.fulfilled.wait_timeout_while(state, PATIENCE, is_open));
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until nobody wishes anything any more.
    fn read(&self, mut streams: [Option<File>; 2], mut wished: PipeReader) {
        loop {
            let mut ready: Vec<_> = streams
                .iter()
                .flatten()
                .map(AsFd::as_fd)
                .chain([wished.as_fd()])
                .map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::IN))
                .collect();
            let _ = poll(&mut ready, None);
            let is_wished = ready.last().is_some_and(|wish| !wish.revents().is_empty());
            drop(ready);
            for (index, stream) in streams.iter_mut().enumerate() {
                if !self.take(index, stream) {
                    *stream = None;
                }
            }
            if is_wished {
                let mut wish = [0];
                match wished.read(&mut wish) {
                    Ok(1) if wish == [CLOSE] => streams = [None, None],
                    Ok(1) => {}
                    _ => return,
                }
                self.state().wishes += 1;
                self.fulfilled.notify_all();
            }
        }
    }

    /// Takes what has come on a stream; tells whether more may come.
    fn take(&self, index: usize, stream: &mut Option<File>) -> bool {
        let Some(stream) = stream else { return false };
        let (mut buffer, mut taken) = ([0; 1 << 14], 0);
        while taken < AT_ONCE {
            match stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    taken += read;
                    self.state().add(index, &buffer[..read], self.start.elapsed());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

impl State {
    fn add(&mut self, index: usize, bytes: &[u8], at: Duration) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begun = &mut self.begun[index];
            let room = LONGEST_LINE.saturating_sub(begun.len());
            let (whole, part) = match part.strip_suffix(b"\n") {
                Some(part) => (true, part),
                None => (false, part),
            };
            begun.extend(&part[..part.len().min(room)]);
            if whole {
                let line = Line { at, stderr: index == 1, text: text(begun) };
                begun.clear();
                self.lines.push_back(line);
                if self.lines.len() > MOST_LINES {
                    self.lines.pop_front();
                }
            }
        }
    }
}

/// Without the colours that many loggers write into a pipe, too.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    strip_str(text.trim_end_matches('\r')).to_string()
}
