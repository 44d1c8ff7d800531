//! Watches a program from one thread: takes what it prints, does what its run says at its times, and
//! tells when it ended.

use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::process::Child;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::client::{self, Answers, Clients, Told};
use super::gate::Pass;
use super::leftover::SETTLES;
use super::{HANGS, Observer, lossy, pulse};
use crate::promise::judge::{Asked, End, FIRST_OUTPUT, texts};
use crate::promise::{Ends, Run, STILL_ALIVE, Stream, When};

/// How long a program that never ends may take until it has printed all that is expected.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that has printed more bytes than this is ended: it would go on until memory is full.
pub const MOST_OUTPUT: usize = 2 << 20;

/// How often to look whether a program has ended where the system does not tell.
const LOOKS: Duration = Duration::from_millis(5);

/// What the check does while a program runs.
enum Act {
    Signal(Signal),
    /// Tells a client the port of the service.
    Ask(mpsc::Sender<Told>),
}

/// What a program prints on one of its streams.
pub(super) struct Output {
    /// Until it ends.
    pipe: Option<File>,
    pub(super) bytes: Vec<u8>,
}

impl Output {
    fn of(pipe: Option<impl Into<OwnedFd>>) -> Self {
        Self { pipe: pipe.map(|pipe| File::from(pipe.into())), bytes: Vec::new() }
    }

    /// Takes what has come, if the pipe is one of those that are ready; tells whether it has.
    fn take(&mut self, ready: &[RawFd]) -> bool {
        let pipe = self.pipe.as_mut().filter(|pipe| ready.contains(&pipe.as_raw_fd()));
        let Some(pipe) = pipe else { return false };
        let mut buffer = [0; 8192];
        match pipe.read(&mut buffer) {
            Ok(count @ 1..) => {
                self.bytes.extend(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            // An error of the pipe ends it as its end does.
            Ok(0) | Err(_) => {
                self.pipe = None;
                false
            }
        }
    }
}

/// A program that runs.
pub(super) struct Watch<'a> {
    pub(super) pid: Pid,
    run: &'a Run,
    start: Instant,
    started: Instant,
    /// Held until the first output.
    pass: Option<Pass<'a>>,
    first_output: Option<Instant>,
    /// Ready when the process has ended. It is left to be reaped, so that its id stays its own
    /// until its group is ended. Old kernels and some sandboxes have no such thing.
    process: Option<OwnedFd>,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub(super) silent: Option<Duration>,
    /// What is done at a time after the first output, the soonest last.
    timed: Vec<(Duration, Act)>,
    /// What is done after a line, in this order where it is the same line.
    after: Vec<(String, Act)>,
    /// What has become of the requests.
    pub(super) asked: Vec<Asked>,
    /// How many requests have been made and not been reported.
    under_way: usize,
    answers: Option<Answers>,
    /// What is read no longer than it has to be.
    pub(super) unread: &'static [Stream],
    pub(super) observer: Option<Arc<dyn Observer>>,
    has_ended: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        child: &mut Child,
        clients: Option<Clients>,
        run: &'a Run,
        start: Instant,
        started: Instant,
        pass: Pass<'a>,
    ) -> Self {
        let pid = Pid::from_raw(child.id().cast_signed());
        let process = rustix::process::Pid::from_child(child);
        let process = pidfd_open(process, PidfdFlags::empty()).ok();
        let (ports, answers) =
            clients.map_or_else(Default::default, |clients| (clients.ports, Some(clients.answers)));

        let signals = run.send.iter().map(|send| (&send.when, Act::Signal(send.signal)));
        let requests = run.requests().map(|request| &request.when);
        let requests = requests.zip(ports.into_iter().map(Act::Ask));
        let (mut timed, mut after) = (Vec::new(), Vec::new());
        for (when, act) in signals.chain(requests) {
            match when {
                When::At(time) => timed.push((*time, act)),
                When::After(text) => after.push((text.clone(), act)),
            }
        }
        // Of two at the same time the first one comes first.
        timed.reverse();
        timed.sort_by_key(|(time, _)| Reverse(*time));
        Self {
            pid,
            run,
            start,
            started,
            pass: Some(pass),
            first_output: None,
            process,
            stdout: Output::of(child.stdout.take()),
            stderr: Output::of(child.stderr.take()),
            silent: None,
            timed,
            after,
            asked: run.requests().map(|_| Asked::Never).collect(),
            under_way: 0,
            answers,
            unread: &[],
            observer: None,
            has_ended: false,
        }
    }

    pub(super) fn until_the_end(&mut self) -> io::Result<End> {
        let deadline = match self.run.ends {
            Ends::At(time) => self.start + time + HANGS,
            Ends::Never => self.start + PATIENCE,
        };
        let mut alive_until = None;
        loop {
            let nobody_waits = self.under_way == 0;
            if self.run.ends == Ends::Never
                && alive_until.is_none()
                && nobody_waits
                && self.run.has_printed_all(&self.stdout.bytes, &self.stderr.bytes)
            {
                alive_until = Some(Instant::now() + STILL_ALIVE);
            }
            if self.stdout.pipe.is_none() {
                // There will be no first output to wait for.
                self.pass = None;
            }
            let silent_at = self.pass.is_some().then_some(self.started + FIRST_OUTPUT);
            // From the program's own beginning: on a busy machine it may have started late. One
            // that prints nothing is given up waiting for.
            let begun = self.first_output.or(self.pass.is_none().then_some(self.started));
            let act_at = self.timed.last().and_then(|(time, _)| Some(begun? + *time));
            let next =
                [alive_until, silent_at, act_at].into_iter().flatten().fold(deadline, Instant::min);
            // The clocks come first: a program that prints without a pause must not stop them.
            let now = Instant::now();
            if next > now {
                if let Some(at) = self.news(next - now)? {
                    return Ok(self.ended(at));
                }
                self.do_what_follows_a_line();
                self.stop_reading();
                if self.stdout.bytes.len() + self.stderr.bytes.len() > MOST_OUTPUT {
                    return Ok(End::Hung(self.start.elapsed()));
                }
                continue;
            }
            if silent_at.is_some_and(|time| time <= now) {
                self.pass = None;
            }
            if let Some(begun) = begun {
                while let Some((time, act)) = self.timed.pop_if(|(time, _)| begun + *time <= now) {
                    self.act(act, begun + time);
                }
            }
            if alive_until.is_some_and(|time| time <= now) {
                return Ok(End::Alive);
            }
            if deadline <= now {
                return Ok(End::Hung(now - self.start));
            }
        }
    }

    fn ended(&mut self, at: Instant) -> End {
        let from = self.first_output.unwrap_or(self.started);
        let silent = at.saturating_duration_since(self.started);
        if self.first_output.is_none() && silent > FIRST_OUTPUT {
            self.silent = Some(silent);
        }
        End::Ended {
            since_start: at - self.start,
            since_output: at.saturating_duration_since(from),
        }
    }

    /// Waits until something happens, and takes it; tells when the program ended, if it just has.
    fn news(&mut self, at_most: Duration) -> io::Result<Option<Instant>> {
        // The process comes first: if it is found to have ended, all it has printed is there.
        let process = self.process.as_ref().filter(|_| !self.has_ended).map(OwnedFd::as_fd);
        let [stdout, stderr] =
            [&self.stdout, &self.stderr].map(|output| output.pipe.as_ref().map(File::as_fd));
        let wake = self.answers.as_ref().map(|answers| answers.wake.as_fd());
        let watched = [process, stdout, stderr, wake].into_iter().flatten();
        let mut watched: Vec<_> =
            watched.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let looks = self.process.is_none() && !self.has_ended;
        let at_most = if looks { at_most.min(LOOKS) } else { at_most };
        let at_most = Timespec::try_from(at_most).map_err(io::Error::other)?;
        match poll(&mut watched, Some(&at_most)) {
            Err(rustix::io::Errno::INTR) => return Ok(None),
            result => result?,
        };
        let at = Instant::now();
        let is_ready = |watched: &&PollFd| !watched.revents().is_empty();
        let ready: Vec<_> =
            watched.iter().filter(is_ready).map(|watched| watched.as_fd().as_raw_fd()).collect();

        let process = self.process.as_ref().map(AsRawFd::as_raw_fd);
        let has_ended =
            process.map_or_else(|| looks && self.looks_ended(), |fd| ready.contains(&fd));
        let printed = [&mut self.stdout, &mut self.stderr].map(|output| output.take(&ready));
        if printed.contains(&true)
            && let Some(observer) = &self.observer
        {
            observer.printed(&self.stdout.bytes, &self.stderr.bytes);
        }
        if printed.contains(&true) && self.first_output.is_none() {
            self.first_output = Some(at);
            self.pass = None;
            let waited = at.saturating_duration_since(self.started);
            self.silent = (waited > FIRST_OUTPUT).then_some(waited);
        }
        if let Some(answers) = &mut self.answers
            && ready.contains(&answers.wake.as_raw_fd())
        {
            let woken = answers.wake.read(&mut [0; 64])?;
            for (number, asked) in answers.asked.try_iter() {
                self.asked[number] = asked;
                self.under_way -= 1;
            }
            // Nobody will write any more, which the pipe would tell for ever.
            if woken == 0 {
                self.answers = None;
            }
        }
        if self.has_ended || !has_ended {
            return Ok(None);
        }
        self.has_ended = true;
        Ok(Some(at))
    }

    /// Whether the process has ended. It is left to be reaped.
    fn looks_ended(&self) -> bool {
        let Some(pid) = rustix::process::Pid::from_raw(self.pid.as_raw()) else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), options).is_ok_and(|status| status.is_some())
    }

    fn do_what_follows_a_line(&mut self) {
        if self.after.is_empty() {
            return;
        }
        let printed = [lossy(&self.stdout.bytes), lossy(&self.stderr.bytes)];
        let lines: Vec<_> = printed.iter().flat_map(|stream| texts(stream, None)).collect();
        let is_due = |text: &str| lines.iter().any(|line| line.contains(text));
        let due: Vec<_> = self.after.extract_if(.., |(text, _)| is_due(text)).collect();
        for (_, act) in due {
            self.act(act, Instant::now());
        }
    }

    /// Lets go of what need not be read any more.
    fn stop_reading(&mut self) {
        let knows_all = self.first_output.is_some()
            && self.after.is_empty()
            && (self.asked.is_empty() || client::port(&lossy(&self.stdout.bytes)).is_some());
        if !knows_all {
            return;
        }
        for stream in self.unread {
            match stream {
                Stream::Stdout => self.stdout.pipe = None,
                Stream::Stderr => self.stderr.pipe = None,
            }
        }
    }

    fn act(&mut self, act: Act, due: Instant) {
        match act {
            // A program that has just ended is not reaped yet: the signal goes nowhere, and may.
            Act::Signal(signal) => {
                pulse::was_due(due);
                let _ = kill(self.pid, signal);
                if let Some(observer) = &self.observer {
                    observer.sent(signal);
                }
            }
            Act::Ask(client) => {
                let Some(port) = client::port(&lossy(&self.stdout.bytes)) else { return };
                self.under_way += usize::from(client.send((port, due)).is_ok());
            }
        }
    }

    /// The texts that a signal was to follow and that never came.
    pub(super) fn unsent(&self) -> Vec<String> {
        let signals = self.after.iter().filter(|(_, act)| matches!(act, Act::Signal(_)));
        signals.map(|(text, _)| text.clone()).collect()
    }

    /// Ends the program's process group and waits until the program itself has ended.
    pub(super) fn end_group(&mut self) -> io::Result<()> {
        match killpg(self.pid, Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => {}
            Err(error) => return Err(error.into()),
        }
        while !self.has_ended {
            self.news(SETTLES)?;
        }
        Ok(())
    }

    /// Takes what is still in the pipes and what has become of the requests; does not wait for a
    /// process that holds a pipe open.
    pub(super) fn take_the_rest(&mut self) -> io::Result<()> {
        let limit = Instant::now() + SETTLES;
        loop {
            let is_open = self.stdout.pipe.is_some() || self.stderr.pipe.is_some();
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() || !is_open && self.under_way == 0 {
                return Ok(());
            }
            self.news(left)?;
        }
    }
}
