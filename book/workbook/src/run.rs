//! Runs a program as a scenario says and tells what happened.
//!
//! The program runs directly, never through cargo: in a process group and a directory of its own,
//! with a fixed environment. Every run has a deadline; at the end of the run its process group is
//! ended, whatever is left of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::client::{self, Asked, ask};
use crate::promise::{Ends, Run, STILL_ALIVE, When, texts};

/// A program has to print its first line within this time after it was started.
pub const FIRST_OUTPUT: Duration = Duration::from_secs(2);

/// How long after its promised end a program is ended as hanging: long enough that most wrong
/// programs end by themselves and are told apart from those that hang.
pub const HANGS: Duration = Duration::from_secs(6);

/// How long a program that never ends may take until it has printed all that is expected.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the check waits for what a moment should settle: the last bytes in a pipe, a child
/// process that is about to end.
const SETTLES: Duration = Duration::from_millis(500);

/// A program that has printed more than this is ended: it would go on until memory is full.
const MOST_OUTPUT: usize = 2 << 20;

/// How many files the check asks to have open.
const FILES: u64 = 1 << 14;

/// The environment variable that marks the processes of a run, also those that leave its group. A
/// process that drops its environment and its group at once is not found.
const MARK: &str = "WORKBOOK_RUN";

/// The programs under way. They are not searched for what other runs have left: with hundreds of
/// them that would cost more than they do.
static UNDER_WAY: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// What a program did.
#[derive(Debug)]
pub struct Outcome {
    /// How the run ended.
    pub end: End,
    /// How the process ended; by `SIGKILL` if the check ended it.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: Vec<u8>,
    /// What it printed on standard error.
    pub stderr: Vec<u8>,
    /// The time from the start to its first output, if that came later than [`FIRST_OUTPUT`].
    pub silent: Option<Duration>,
    /// Texts that a signal was to follow and that were never printed.
    pub unsent: Vec<String>,
    /// What became of the requests, in their order.
    pub asked: Vec<Asked>,
    /// The processes that outlived the program, by command line.
    pub left_behind: Vec<String>,
    /// What a program that ended by itself has left in the directory for temporary files.
    pub temporary: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The program ended.
    Ended {
        /// From before the program was started. It is never shorter than the program's own time.
        since_start: Duration,
        /// From its first output. It leaves out what the start of a process takes on a busy
        /// machine.
        since_output: Duration,
    },
    /// The check ended it at its deadline, or because it printed without end, this long after the
    /// start.
    Hung(Duration),
    /// It was to be alive [`STILL_ALIVE`] after its last expected line, and it was.
    Alive,
}

/// Lets half as many programs start at the same time as there are cores, the longest first.
///
/// What makes a program late on a busy machine is its start, and the start of others while it ends:
/// the other half of the cores is for those that are on their way. A pass is held from before the
/// start until the first output.
#[derive(Debug)]
pub struct Gate(Mutex<GateState>);

#[derive(Debug)]
struct GateState {
    free: usize,
    /// How many have to come before it opens.
    expected: usize,
    next_id: u64,
    waiting: BTreeMap<Place, Thread>,
}

/// A place in the row: the longest first, then by arrival.
type Place = (Reverse<Duration>, u64);

/// The right to start a program; dropping it lets the next one in.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

/// Somebody whom the gate expects, and who may turn out not to enter; dropping it says so.
#[derive(Debug)]
pub struct Expected<'a>(&'a Gate);

impl Gate {
    /// An open gate for this machine.
    pub fn new() -> Self {
        let free = thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
        Self(Mutex::new(GateState { free, expected: 0, next_id: 0, waiting: BTreeMap::new() }))
    }

    /// Keeps the gate closed until so many have come. Where each is a thread, all threads are there
    /// before the first program is: while a process makes hundreds of them, those that it has wait
    /// for its memory, beside busy loops for more than half a second.
    pub fn expect(&self, count: usize) {
        self.state().expected = count;
    }

    /// Somebody whom it expects.
    pub fn expected(&self) -> Expected<'_> {
        Expected(self)
    }

    /// Waits for a pass; of those who wait, the one whose run is longest is next.
    pub fn enter(&self, length: Duration) -> Pass<'_> {
        let mut state = self.state();
        let me = (Reverse(length), state.next_id);
        state.next_id += 1;
        state.waiting.insert(me, thread::current());
        state.one_has_come();
        while state.next().is_none_or(|(next, _)| *next != me) {
            drop(state);
            thread::park();
            state = self.state();
        }
        state.waiting.remove(&me);
        state.free -= 1;
        // There may be a pass for the next one, too.
        state.call();
        Pass(self)
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateState {
    /// Who may enter now.
    fn next(&self) -> Option<(&Place, &Thread)> {
        let is_open = self.expected == 0 && self.free > 0;
        self.waiting.first_key_value().filter(|_| is_open)
    }

    /// Wakes that one alone: there may be hundreds.
    fn call(&self) {
        self.next().inspect(|(_, thread)| thread.unpark());
    }

    fn one_has_come(&mut self) {
        self.expected = self.expected.saturating_sub(1);
        self.call();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.free += 1;
        state.call();
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        // For one that has entered this comes when the gate has been opened.
        self.0.state().one_has_come();
    }
}

/// Runs a command in a directory as a run says: with its arguments added, its signals, its end.
///
/// `gate` and `length` say when it may start.
///
/// # Errors
///
/// If the program cannot be started or the system refuses to tell about it.
pub fn run(
    mut command: Command,
    directory: &Path,
    run: &Run,
    gate: &Gate,
    length: Duration,
) -> io::Result<Outcome> {
    let mark = new_mark();
    let temporary = tempfile::tempdir()?;
    command
        .args(&run.args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        // A backtrace makes the first panic 60 ms longer, which changes what other threads reach.
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUST_LOG")
        // It would hide that Python loses what it has not flushed.
        .env_remove("PYTHONUNBUFFERED")
        .env("NO_COLOR", "1")
        .env("TMPDIR", temporary.path())
        .env(MARK, &mark);

    raise_limit();
    let clients = Clients::new(run)?;
    let pass = gate.enter(length);
    // Read before the start: under load the call returns long after the program runs.
    let start = Instant::now();
    let mut child = command.spawn()?;
    let started = Instant::now();
    let mut watch = Watch::new(&mut child, clients, run, start, started, pass)?;
    under_way().insert(watch.pid);
    let end = watch.until_the_end();
    under_way().remove(&watch.pid);
    let end = end?;

    let left_behind = match end {
        End::Ended { .. } => settle(|| left_of(&mark), Vec::is_empty),
        End::Hung(_) | End::Alive => Vec::new(),
    };
    let left_behind: Vec<_> = left_behind.into_iter().map(in_words).collect();
    watch.end_group()?;
    if !left_behind.is_empty() || !matches!(end, End::Ended { .. }) {
        end_others(&mark);
    }
    watch.take_the_rest()?;
    let Watch { stdout, stderr, silent, after, asked, .. } = watch;
    let (stdout, stderr) = (stdout.bytes, stderr.bytes);
    let is_signal = |(text, act)| matches!(act, Act::Signal(_)).then_some(text);
    let unsent = after.into_iter().filter_map(is_signal).collect();
    let temporary = match end {
        End::Ended { .. } => names_in(temporary.path())?,
        End::Hung(_) | End::Alive => Vec::new(),
    };
    let status = child.wait()?;
    Ok(Outcome { end, status, stdout, stderr, silent, unsent, asked, left_behind, temporary })
}

/// The processes that still run though their run is over, from the check of this process.
pub fn leftovers() -> Vec<String> {
    let left = settle(|| left_of(&mark_of_this_process()), Vec::is_empty);
    left.into_iter().map(in_words).collect()
}

/// Ends what is under way and this process when it gets SIGINT or SIGTERM. Programs in a group of
/// their own would outlive it.
///
/// # Errors
///
/// If the system refuses the handler.
pub fn end_with_this_process() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            for (pid, _) in marked(&mark_of_this_process(), &BTreeSet::new()) {
                let _ = kill(pid, Signal::SIGKILL);
            }
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// What the check does while a program runs.
enum Act {
    Signal(Signal),
    /// Tells a client the port of the service.
    Ask(mpsc::Sender<u16>),
}

/// Those who make the requests of a run, each in a thread of its own.
///
/// The threads are there before the program is: beside busy loops a process with hundreds of
/// threads was seen to take 0.7 s for one more, and requests came that much late.
struct Clients {
    /// Where each of them waits to be told the port.
    ports: Vec<mpsc::Sender<u16>>,
    answers: Answers,
}

/// What becomes of the requests, by number.
struct Answers {
    asked: mpsc::Receiver<(usize, Asked)>,
    /// A byte comes for each.
    wake: PipeReader,
}

impl Clients {
    /// None for a run without requests.
    fn new(run: &Run) -> io::Result<Option<Self>> {
        if run.requests().next().is_none() {
            return Ok(None);
        }
        let (wake, waker) = io::pipe()?;
        let (sender, asked) = mpsc::channel();
        let waker = Arc::new(waker);
        let ports = run.requests().cloned().map(|request| {
            let (port, told) = mpsc::channel();
            let (sender, waker) = (sender.clone(), Arc::clone(&waker));
            thread::spawn(move || {
                let Ok(port) = told.recv() else { return };
                // When the run is over nobody wants to know any more.
                let _ = sender.send((request.number, ask(port, &request)));
                let _ = (&*waker).write(&[0]);
            });
            port
        });
        Ok(Some(Self { ports: ports.collect(), answers: Answers { asked, wake } }))
    }
}

/// What a program prints on one of its streams.
struct Output {
    /// Until it ends.
    pipe: Option<File>,
    bytes: Vec<u8>,
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
struct Watch<'a> {
    pid: Pid,
    run: &'a Run,
    start: Instant,
    started: Instant,
    /// Held until the first output.
    pass: Option<Pass<'a>>,
    first_output: Option<Instant>,
    /// Ready when the process has ended. It is left to be reaped, so that its id stays its own
    /// until its group is ended.
    process: OwnedFd,
    stdout: Output,
    stderr: Output,
    silent: Option<Duration>,
    /// What is done at a time after the first output, the soonest last.
    timed: Vec<(Duration, Act)>,
    /// What is done after a line, in this order where it is the same line.
    after: Vec<(String, Act)>,
    /// What has become of the requests.
    asked: Vec<Asked>,
    /// How many requests have been made and not been reported.
    under_way: usize,
    answers: Option<Answers>,
    has_ended: bool,
}

impl<'a> Watch<'a> {
    fn new(
        child: &mut Child,
        clients: Option<Clients>,
        run: &'a Run,
        start: Instant,
        started: Instant,
        pass: Pass<'a>,
    ) -> io::Result<Self> {
        let pid = Pid::from_raw(child.id().cast_signed());
        let process = pidfd_open(rustix::process::Pid::from_child(child), PidfdFlags::empty())?;
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
        Ok(Self {
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
            has_ended: false,
        })
    }

    fn until_the_end(&mut self) -> io::Result<End> {
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
                && self.has_printed_all()
            {
                alive_until = Some(Instant::now() + STILL_ALIVE);
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
                if self.stdout.bytes.len() + self.stderr.bytes.len() > MOST_OUTPUT {
                    return Ok(End::Hung(self.start.elapsed()));
                }
                continue;
            }
            if silent_at.is_some_and(|time| time <= now) {
                self.pass = None;
            }
            if let Some(begun) = begun {
                while let Some((_, act)) = self.timed.pop_if(|(time, _)| begun + *time <= now) {
                    self.act(act);
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

    fn has_printed_all(&self) -> bool {
        let (stdout, stderr) = (lossy(&self.stdout.bytes), lossy(&self.stderr.bytes));
        self.run.has_printed_all(&stdout, &stderr)
    }

    /// Waits until something happens, and takes it; tells when the program ended, if it just has.
    fn news(&mut self, at_most: Duration) -> io::Result<Option<Instant>> {
        // The process comes first: if it is found to have ended, all it has printed is there.
        let process = (!self.has_ended).then(|| self.process.as_fd());
        let [stdout, stderr] =
            [&self.stdout, &self.stderr].map(|output| output.pipe.as_ref().map(File::as_fd));
        let wake = self.answers.as_ref().map(|answers| answers.wake.as_fd());
        let watched = [process, stdout, stderr, wake].into_iter().flatten();
        let mut watched: Vec<_> =
            watched.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let at_most = Timespec::try_from(at_most).map_err(io::Error::other)?;
        match poll(&mut watched, Some(&at_most)) {
            Err(rustix::io::Errno::INTR) => return Ok(None),
            result => result?,
        };
        let at = Instant::now();
        let is_ready = |watched: &&PollFd| !watched.revents().is_empty();
        let ready: Vec<_> =
            watched.iter().filter(is_ready).map(|watched| watched.as_fd().as_raw_fd()).collect();

        let printed = [&mut self.stdout, &mut self.stderr].map(|output| output.take(&ready));
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
        if self.has_ended || !ready.contains(&self.process.as_raw_fd()) {
            return Ok(None);
        }
        self.has_ended = true;
        Ok(Some(at))
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
            self.act(act);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            // A program that has just ended is not reaped yet: the signal goes nowhere, and may.
            Act::Signal(signal) => drop(kill(self.pid, signal)),
            Act::Ask(client) => {
                let Some(port) = client::port(&lossy(&self.stdout.bytes)) else { return };
                self.under_way += usize::from(client.send(port).is_ok());
            }
        }
    }

    /// Ends the program's process group and waits until the program itself has ended.
    fn end_group(&mut self) -> io::Result<()> {
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
    fn take_the_rest(&mut self) -> io::Result<()> {
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

/// Lets this process open more files, as far as the system grants them. The usual limit is 1024, and
/// hundreds of programs are under way together, with three each.
fn raise_limit() {
    static RAISED: Once = Once::new();
    RAISED.call_once(|| {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < FILES) {
            let current = Some(maximum.map_or(FILES, |maximum| FILES.min(maximum)));
            // If it is refused there may still be enough.
            let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
        }
    });
}

/// The names of what is in a directory.
fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    fs::read_dir(directory)?.map(|entry| entry.map(name)).collect()
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn under_way() -> MutexGuard<'static, BTreeSet<Pid>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends what has left the group of a run, unless it is about to end by itself, as a tracer does.
fn end_others(mark: &str) {
    for (pid, _) in settle(|| left_of(mark), Vec::is_empty) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// Asks until the answer is as wanted or time is up; gives the last answer.
fn settle<T>(ask: impl Fn() -> T, is_wanted: impl Fn(&T) -> bool) -> T {
    let limit = Instant::now() + SETTLES;
    loop {
        let answer = ask();
        if is_wanted(&answer) || Instant::now() >= limit {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn mark_of_this_process() -> String {
    format!("{}-", std::process::id())
}

fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}{}.", mark_of_this_process(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What is left of runs whose mark begins like this.
fn left_of(mark: &str) -> Vec<(Pid, String)> {
    let others = under_way().clone();
    marked(mark, &others)
}

fn in_words((pid, line): (Pid, String)) -> String {
    format!("{line} (process {pid})")
}

/// The processes, but for some, whose environment holds a mark that begins like this, by command
/// line. A zombie counts as gone: its environment is empty. Without /proc nothing is found.
fn marked(mark: &str, but: &BTreeSet<Pid>) -> Vec<(Pid, String)> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
            if but.contains(&pid) {
                return None;
            }
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            variables.find(|variable| variable.starts_with(wanted.as_bytes()))?;
            Some((pid, command_line(&entry.path())))
        })
        .collect()
}

/// The command line of a process with this directory in /proc, its program without directories.
/// (The kernel's own name for it, `comm`, is cut at 15 bytes.)
fn command_line(process: &Path) -> String {
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let line = lossy(&line);
    let (program, arguments) = line.split_once('\0').unwrap_or((&*line, ""));
    let program = program.rsplit('/').next().unwrap_or_default();
    format!("{program} {}", arguments.replace('\0', " ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for whoever may enter, on any machine.
    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn nobody_starts_before_all_have_come() {
        let gate = Gate::new();
        let (entered, told) = mpsc::channel();
        let places = gate.state().free;
        gate.expect(3);
        let absent = gate.expected();
        thread::scope(|scope| {
            for seconds in [1, 2] {
                let (gate, entered) = (&gate, entered.clone());
                scope.spawn(move || {
                    let _expected = gate.expected();
                    let _pass = gate.enter(Duration::from_secs(seconds));
                    entered.send(seconds)
                });
            }
            let early = told.recv_timeout(Duration::from_millis(200));
            // Before anything can fail: a scope waits for its threads.
            drop(absent);
            assert!(early.is_err(), "{early:?}");
            let order = [told.recv_timeout(SOON), told.recv_timeout(SOON)];
            assert!(order.iter().all(Result::is_ok), "{order:?}");
            // With more places both enter at once.
            if places == 1 {
                assert_eq!(order, [Ok(2), Ok(1)]);
            }
        });
    }
}
