//! Follows a program from its `execve` to its end.
//!
//! The thread that starts the program is the one that traces it. No call of the program is traced: it
//! stops at births, at `execve`, before a signal, and at each thread's end, and goes on at once. All
//! that is read at a stop is read raw; it is put into words when the program is gone.
//!
//! With the tracer the kernel ends the program (`PTRACE_O_EXITKILL`), whatever ends the tracer, from
//! the moment on in which it takes hold of the program, right after the `execve`; it needs no second process. Processes that the program has
//! started are not traced and end or live on as they would have.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{self, Command};
use std::time::{Duration, Instant};

use rustix::process::{geteuid, getgid, getpid, getuid, set_child_subreaper};
use signal_hook::consts::{SIGBUS, SIGCONT, SIGFPE, SIGILL, SIGKILL, SIGPIPE, SIGSEGV};
use signal_hook::consts::{SIGSTOP, SIGSYS, SIGTRAP};

use crate::proc::{Stat, Status, name_of};
use crate::trace::{self, Trace};

use super::arrivals::Arrivals;
use super::beside::can_be_seen;
use super::call::{Doing, Names, Process, Raw};
use super::file::{self, Before, Opened};
use super::look::ran;
use super::sys::{self, Change, Info, Ticks};
use super::{Arrival, Child, End, Fate, Limit, Sender, Sight, Stood, Thread, Wait};

/// How often `main` is looked at, and some of the others.
const LOOKS: Duration = Duration::from_millis(20);

/// How many of the others at a time, one after the other in turn.
const AT_ONCE: usize = 16;

/// How often all threads are looked at by a tracer that stands beside. Some who wait for the same thing
/// again and again do so in between for less than [`LOOKS`].
const LOOKS_BESIDE: Duration = Duration::from_millis(5);

/// How often the program's children are looked at, in looks.
const CHILDREN: u32 = 5;

/// How many children are looked at.
const MOST_CHILDREN: usize = 32;

/// How many threads are told of. Those that ended by themselves are forgotten from there on.
const MOST_THREADS: usize = 20_000;

/// A call that takes longer is told alone, and not with the same calls before and after it.
const ALONE: f64 = 0.5;

/// The calls that end when their thread gets the processor again: where it has got it twice, it was in two.
const RUN_AT_THEIR_END: [i64; 3] =
    [libc::SYS_clock_nanosleep, libc::SYS_futex, libc::SYS_nanosleep];

/// How many waits of `main` are told of, the longest.
const MOST_WAITS: usize = 1000;

/// A process that lets nobody look into it ends in a moment: a thread that ended earlier than this before
/// it has ended by itself.
const A_MOMENT: f64 = 0.005;

/// A wait shorter than this is not told beside a program: the looks are too far apart for it.
const A_WAIT: f64 = 0.01;

/// The calls in which a pipe or a connection that nobody reads any more is found out.
const WRITES: [i64; 8] = [
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwritev2,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendfile,
    libc::SYS_splice,
];

/// The kernel's ticks in a second, as /proc counts them on every architecture.
const TICKS: f64 = 100.0;

/// A program that runs and is followed.
pub struct Tracer {
    pid: u32,
    command: Vec<String>,
    directory: PathBuf,
    start: Instant,
    _ticks: Ticks,
    /// Whether another process has started the program and waits for it. Then its threads are all that is seen,
    /// with the waits of each; nothing else takes time from its end.
    is_beside: bool,
    /// How often threads are looked at.
    every: Duration,
    /// Whether the program stops at its births and ends at all.
    is_traced: bool,
    /// Whether a stopped process can be left stopped.
    is_seized: bool,
    is_readable: bool,
    /// Whether the SIGCONT with which it began is still under way.
    first_cont: bool,
    process: Process,
    /// The program's own name.
    name: String,
    /// By the order of their birth.
    lives: BTreeMap<usize, Life>,
    /// Those that are alive.
    by_id: HashMap<u32, usize>,
    born: usize,
    /// Whose first stop is due.
    newborn: Option<u32>,
    /// Those that have not reached their end, with their ids.
    at_work: BTreeMap<usize, u32>,
    forgotten: usize,
    /// By thread; of `main` alone unless all of it is beside.
    spans: HashMap<usize, Vec<Span>>,
    /// By the id of the thread that it waits for: who was seen in a join.
    joiners: HashMap<u32, usize>,
    looks: u32,
    next_look: Instant,
    /// Where the turn of the others is.
    turn: usize,
    received: HashMap<i32, Received>,
    sent: HashMap<i32, Sender>,
    arrivals: Arrivals,
    is_stopped: bool,
    /// Whether that is to be told.
    is_news: bool,
    children: Vec<Offspring>,
    /// Of the program itself, in seconds of CPU.
    spent: f64,
    before: Before,
    opened: Option<Opened>,
    names: Names,
    stood: Option<Stood>,
    /// When the process began to end.
    ending: Option<f64>,
    by: Option<usize>,
    end: Option<(f64, Change)>,
    limits: Vec<Limit>,
    /// What is done before a signal reaches the program.
    before_signal: Box<dyn FnMut(i32)>,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing that matters to others.
    Nothing,
    /// The program was stopped, by its terminal or by a signal of ours: whoever waits for us has to see that.
    Stopped,
    /// It has ended.
    Over,
}

struct Life {
    id: u32,
    /// Empty as long as nobody has looked.
    name: String,
    named: bool,
    born: f64,
    /// When and how it ended, and what it was in then.
    end: Option<(f64, Ended, Option<Raw>)>,
    joined_by: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Ended {
    Itself,
    TheProcess,
    Cut,
    /// It could not be looked at any more.
    Unread,
    /// By another program.
    Replaced,
}

/// A time in which every look saw a thread in the same call, or `main` in short ones that look the same.
struct Span {
    from: f64,
    to: f64,
    /// Since when in the last of them.
    since: f64,
    several: bool,
    /// How often it had got the processor before that.
    ran: u64,
    raw: Raw,
    joins: Option<usize>,
    is_over: bool,
}

impl Span {
    fn of(from: f64, to: f64, raw: Raw, joins: Option<usize>, ran: u64) -> Self {
        Self { from, to, since: from, several: false, ran, raw, joins, is_over: false }
    }
}

/// A signal that the program got.
#[derive(Clone)]
pub(super) struct Received {
    at: Instant,
    pub(super) code: i32,
    pub(super) pid: u32,
    /// The sender's name, if it is another process.
    name: Option<String>,
    thread: usize,
    /// The call that thread was in, if it matters.
    call: Option<i64>,
    /// Whether the program has sent it to itself later on.
    again: bool,
}

/// A process that the program has started.
struct Offspring {
    pid: u32,
    /// As it was last seen.
    child: Option<Child>,
    /// Seconds of CPU, with those of its own children that it has waited for.
    spent: f64,
    looks: u32,
    is_gone: bool,
}

impl Tracer {
    /// Starts a command and follows it. `told` is how the command is called in what is told.
    ///
    /// Where the system does not let it be traced it runs all the same, and a limit says so.
    ///
    /// The thread that calls this is the one that has to call everything else, and it must have no other
    /// children: it waits for all it has.
    ///
    /// # Errors
    ///
    /// That of the start: the program is not there or cannot be executed.
    pub fn start(command: &mut Command, told: Vec<String>) -> io::Result<Self> {
        let directory = match command.get_current_dir() {
            Some(directory) => directory.to_owned(),
            None => env::current_dir().unwrap_or_default(),
        };
        // What it leaves behind is found again.
        set_child_subreaper(Some(getpid()))?;
        let ticks = Ticks::new(LOOKS)?;
        sys::to_be_traced(command);
        let pid = command.spawn()?.id();
        let mut tracer = Self {
            command: told,
            directory,
            is_traced: Status::of(pid).and_then(|status| status.number("TracerPid")) != Some(0),
            ..Self::of(pid, ticks, LOOKS)
        };
        tracer.begin()?;
        Ok(tracer)
    }

    /// Follows a process that this thread has taken hold of, from its `execve` on; it is no child of ours, and what
    /// becomes of it does not hang on us.
    ///
    /// # Errors
    ///
    /// If it ends before, or cannot be looked at.
    pub(super) fn beside(pid: u32) -> io::Result<Self> {
        loop {
            match sys::wait_for(pid)? {
                Change::Exec => break,
                Change::Signal(signal) => sys::go_on(pid, signal)?,
                Change::Group(_) => sys::stay_stopped(pid)?,
                Change::Exited(_) | Change::Killed(_) => {
                    return Err(io::Error::other("it has ended before it was to begin"));
                }
                _ => sys::go_on(pid, 0)?,
            }
        }
        // A program whose file is not ours to read lets nobody look into it.
        can_be_seen(pid)?;
        let ticks = Ticks::new(LOOKS_BESIDE)?;
        let mut tracer = Self {
            is_beside: true,
            is_traced: true,
            is_seized: true,
            name: name_of(pid).unwrap_or_default(),
            ..Self::of(pid, ticks, LOOKS_BESIDE)
        };
        tracer.be_born(pid);
        sys::go_on(pid, 0)?;
        Ok(tracer)
    }

    fn of(pid: u32, ticks: Ticks, every: Duration) -> Self {
        Self {
            pid,
            command: Vec::new(),
            directory: PathBuf::from("/"),
            start: Instant::now(),
            _ticks: ticks,
            is_beside: false,
            every,
            is_traced: false,
            is_seized: false,
            is_readable: true,
            first_cont: false,
            process: Process::of(pid),
            name: String::new(),
            lives: BTreeMap::new(),
            by_id: HashMap::new(),
            born: 0,
            newborn: None,
            at_work: BTreeMap::new(),
            forgotten: 0,
            spans: HashMap::new(),
            joiners: HashMap::new(),
            looks: 0,
            next_look: Instant::now(),
            turn: 0,
            received: HashMap::new(),
            sent: HashMap::new(),
            arrivals: Arrivals::default(),
            is_stopped: false,
            is_news: false,
            children: Vec::new(),
            spent: 0.0,
            before: Before::of(pid),
            opened: None,
            names: Names::default(),
            stood: None,
            ending: None,
            by: None,
            end: None,
            limits: Vec::new(),
            before_signal: Box::new(|_| {}),
        }
    }

    /// Has something done each time before a signal reaches the program, with its number.
    pub fn before_signals(&mut self, act: impl FnMut(i32) + 'static) {
        self.before_signal = Box::new(act);
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.is_traced {
            let first = sys::wait_for(self.pid)?;
            if first != Change::Signal(SIGTRAP) {
                // Something has ended it before it could begin.
                self.be_born(self.pid);
                self.change(self.pid, first);
                return Ok(());
            }
            sys::unblock(self.pid)?;
            self.is_readable = File::open(format!("/proc/{}/syscall", self.pid))
                .and_then(|mut file| file.read(&mut [0; 8]))
                .is_ok();
            self.start = Instant::now();
            if self.is_readable {
                sys::seize(self.pid)?;
                self.is_seized = true;
                self.first_cont = true;
            } else {
                sys::follow(self.pid)?;
                self.limit(
                    "the program's file is not yours to read: what its threads did cannot be seen",
                );
            }
        } else {
            self.limit(
                "the system does not let one process trace another (ptrace): threads cannot be seen",
            );
        }
        self.name = name_of(self.pid).unwrap_or_default();
        self.see_rights();
        self.be_born(self.pid);
        if self.is_traced {
            let _ = sys::go_on(self.pid, 0);
        }
        Ok(())
    }

    /// When the program began.
    pub fn began(&self) -> Instant {
        self.start
    }

    /// Takes what happens until there is news, for some 20 ms.
    ///
    /// # Errors
    ///
    /// If the system does not tell any more of the program.
    pub fn go_on(&mut self) -> io::Result<News> {
        let since = Instant::now();
        // In a program that never pauses no wait is interrupted.
        while self.end.is_none()
            && !self.is_news
            && since.elapsed() < self.every
            && let Some((id, change)) = self.next()?
        {
            self.change(id, change);
        }
        if self.end.is_some() {
            return Ok(News::Over);
        }
        if self.next_look <= Instant::now() {
            self.look();
            self.next_look = Instant::now() + self.every;
        }
        Ok(if mem::take(&mut self.is_news) { News::Stopped } else { News::Nothing })
    }

    /// Waits for what happens next.
    ///
    /// First it asks for one thread from which something is due, at its birth and while the process ends: the
    /// kernel looks through all of thousands where it is asked for any of them.
    fn next(&mut self) -> io::Result<Option<(u32, Change)>> {
        if let Some(id) = self.newborn.take()
            && let Some(change) = sys::change_of(id)
        {
            return Ok(Some((id, change)));
        }
        if self.ending.is_some()
            && let Some(&id) = self.at_work.values().next()
            && let Some(change) = sys::change_of(id)
        {
            return Ok(Some((id, change)));
        }
        sys::change()
    }

    /// Sends the program a signal, on behalf of somebody.
    pub fn send(&mut self, signal: i32, from: Sender) {
        if self.end.is_none() && sys::send(self.pid, signal).is_ok() {
            if signal != SIGKILL {
                self.arrivals.sent(self.now(), signal, from.clone());
            }
            self.sent.insert(signal, from);
        }
    }

    /// This process got a signal from its terminal, which has sent it to the program as well.
    pub fn terminal_sent(&mut self, signal: i32) {
        self.arrivals.terminal_sent(self.now(), signal);
    }

    /// Whether the program got a signal since then from this process itself.
    pub fn has_got(&self, signal: i32, from: u32, since: Instant) -> bool {
        let got = self.received.get(&signal);
        got.is_some_and(|got| got.at >= since && got.code <= 0 && got.pid == from)
    }

    /// Notes what all threads do now.
    pub fn stand(&mut self) {
        let at = self.now();
        let looked = |(index, id): (&usize, &u32)| (*index, self.process.look(*id));
        let seen: Vec<_> = self.at_work.iter().map(looked).collect();
        let names = Names::of(self.pid, seen.iter().map(|(_, raw)| raw));
        let doing = |raw: &Raw| raw.doing(&names, &self.directory, None);
        let threads = seen.iter().map(|(index, raw)| (*index, doing(raw))).collect();
        self.stood = Some(Stood { at, threads });
    }

    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn limit(&mut self, what: &str) {
        self.limits.push(Limit(what.to_owned()));
    }

    fn change(&mut self, id: u32, change: Change) {
        match change {
            Change::Exited(_) | Change::Killed(_) => {
                if id == self.pid {
                    self.end = Some((self.now(), change));
                } else if let Some(index) = self.by_id.remove(&id)
                    && let Some(life) = self.lives.get(&index)
                    && life.end.is_none()
                {
                    let raw = self.process.look(id);
                    self.ended(index, Ended::Unread, raw);
                }
                return;
            }
            Change::Exec if id == self.pid => self.exec(),
            _ if !self.by_id.contains_key(&id) => {
                if !sys::is_of(self.pid, id) {
                    self.note_child(id);
                    let _ = sys::let_go(id);
                    return;
                }
                self.be_born(id);
                // Its first stop, in the newer way and in the older.
                if matches!(change, Change::Trap | Change::Signal(SIGSTOP)) {
                    let _ = sys::go_on(id, 0);
                    return;
                }
            }
            _ => {}
        }
        let gone_on = match change {
            Change::Signal(signal) => self.signal(id, signal),
            Change::Group(signal) => {
                if id == self.pid && !self.is_stopped {
                    self.is_stopped = true;
                    let is_ours = |got: &Received| got.code > 0 || got.pid == process::id();
                    self.is_news = self.received.get(&signal).is_some_and(is_ours);
                }
                sys::stay_stopped(id)
            }
            Change::Birth => {
                if let Ok(new) = sys::message(id)
                    && !self.by_id.contains_key(&new)
                {
                    if sys::is_of(self.pid, new) {
                        self.be_born(new);
                        self.newborn = Some(new);
                    } else {
                        self.note_child(new);
                    }
                }
                sys::go_on(id, 0)
            }
            Change::Exit => {
                self.exit(id);
                if id == self.pid {
                    sys::go_on(id, 0)
                } else {
                    // Its end is known, and nobody has to wait for it any more.
                    self.by_id.remove(&id);
                    sys::let_go(id)
                }
            }
            Change::Trap => {
                self.is_stopped &= id != self.pid;
                sys::go_on(id, 0)
            }
            _ => sys::go_on(id, 0),
        };
        // One that something else has ended meanwhile is told of by its end.
        let _ = gone_on;
    }

    fn be_born(&mut self, id: u32) {
        let life = Life {
            id,
            name: String::new(),
            named: false,
            born: if self.born == 0 { 0.0 } else { self.now() },
            end: None,
            joined_by: None,
        };
        self.lives.insert(self.born, life);
        self.by_id.insert(id, self.born);
        self.at_work.insert(self.born, id);
        self.born += 1;
    }

    fn signal(&mut self, id: u32, signal: i32) -> io::Result<()> {
        // A stop of the whole process, in the older way.
        let Ok(info) = sys::info(id) else { return sys::go_on(id, 0) };
        let own = process::id();
        if signal == SIGCONT && self.first_cont && info.pid == own && info.code <= 0 {
            self.first_cont = false;
            return sys::go_on(id, 0);
        }
        if signal == SIGSTOP && !self.is_seized && info.code <= 0 && info.pid == 0 {
            return sys::go_on(id, 0);
        }
        (self.before_signal)(signal);
        let received = self.received(id, signal, info);
        self.arrivals.delivered(self.now(), id, self.pid, signal, &received);
        let is_own = |code: i32, pid: u32| code <= 0 && pid == self.pid;
        if is_own(info.code, info.pid)
            && let Some(got) = self.received.get_mut(&signal)
            && !is_own(got.code, got.pid)
        {
            got.again = true;
            return sys::go_on(id, signal);
        }
        self.received.insert(signal, received);
        sys::go_on(id, signal)
    }

    fn received(&self, id: u32, signal: i32, info: Info) -> Received {
        let is_others = info.code <= 0 && ![self.pid, process::id(), 0].contains(&info.pid);
        Received {
            at: Instant::now(),
            code: info.code,
            pid: info.pid,
            name: is_others.then(|| name_of(info.pid)).flatten(),
            thread: self.by_id.get(&id).copied().unwrap_or_default(),
            call: (signal == SIGPIPE).then(|| self.process.look(id).nr()).flatten(),
            again: false,
        }
    }

    /// Whether the program's file has the right of another user, which the kernel does not give to one that is
    /// traced by whoever has not that right.
    fn see_rights(&mut self) {
        let file = fs::metadata(format!("/proc/{}/exe", self.pid));
        let is_others = |file: &fs::Metadata| {
            file.mode() & 0o4000 != 0 && file.uid() != getuid().as_raw()
                || file.mode() & 0o2010 == 0o2010 && file.gid() != getgid().as_raw()
        };
        if self.is_traced && !geteuid().is_root() && file.is_ok_and(|file| is_others(&file)) {
            self.limit(
                "a setuid or setgid program: traced, it has your rights and not those of its file",
            );
        }
    }

    /// Another program has taken the place of this one: of all its threads one is left, with the id of `main`.
    fn exec(&mut self) {
        let now = self.now();
        let main = self.by_id.get(&self.pid).copied().unwrap_or_default();
        let replaced = self.by_id.values().filter(|index| **index != main);
        for index in replaced.copied().collect::<Vec<_>>() {
            if let Some(life) = self.lives.get_mut(&index)
                && life.end.as_ref().is_none_or(|(_, ended, _)| *ended != Ended::Itself)
            {
                let raw = life.end.take().and_then(|(_, _, raw)| raw);
                life.end = Some((now, Ended::Replaced, raw));
                if life.name.is_empty() {
                    life.name.clone_from(&self.name);
                }
            }
        }
        // They may be gone already.
        if let Some(from) = self.ending {
            for life in self.lives.values_mut() {
                if let Some((at, ended, _)) = &mut life.end
                    && *at >= from
                    && *ended != Ended::Itself
                {
                    (*at, *ended) = (now, Ended::Replaced);
                }
            }
        }
        if let Some(life) = self.lives.get_mut(&main) {
            life.end = None;
        }
        self.by_id = HashMap::from([(self.pid, main)]);
        self.at_work = BTreeMap::from([(main, self.pid)]);
        (self.ending, self.by) = (None, None);
        self.joiners.clear();
        self.process = Process::of(self.pid);
        self.name = name_of(self.pid).unwrap_or_default();
        self.see_rights();
    }

    /// A thread stands at its end.
    fn exit(&mut self, id: u32) {
        let Some(&index) = self.by_id.get(&id) else { return };
        let raw = self.process.last_look(id);
        if let Some(name) = name_of(id)
            && let Some(life) = self.lives.get_mut(&index)
        {
            life.named = name != self.name;
            life.name = name;
        }
        let ended = match raw.nr() {
            _ if raw.unreadable() => Ended::Unread,
            Some(libc::SYS_exit) => Ended::Itself,
            Some(libc::SYS_exit_group) if self.by.is_none() => {
                self.by = Some(index);
                Ended::TheProcess
            }
            _ => Ended::Cut,
        };
        if ended == Ended::Itself {
            self.see_join(index, id);
        }
        self.ended(index, ended, raw);
        if self.at_work.is_empty() {
            self.last(id);
        }
    }

    fn ended(&mut self, index: usize, ended: Ended, raw: Raw) {
        let now = self.now();
        if matches!(ended, Ended::Cut | Ended::TheProcess) && self.ending.is_none() {
            self.ending = Some(now);
        }
        let Some(life) = self.lives.get_mut(&index) else { return };
        life.end = Some((now, ended, Some(raw)));
        self.at_work.remove(&index);
        if ended == Ended::Itself && index != 0 && self.lives.len() > MOST_THREADS {
            self.lives.remove(&index);
            self.forgotten += 1;
        }
    }

    /// Looks who waits for the end of this thread.
    fn see_join(&mut self, index: usize, id: u32) {
        let main = self.by_id.get(&self.pid).copied();
        let is_waiting = |by: &usize| {
            self.lives
                .get(by)
                .is_some_and(|life| *by != index && self.process.look(life.id).joins() == Some(id))
        };
        let seen = self.joiners.get(&id).copied();
        let by = main.into_iter().chain(seen).find(is_waiting);
        self.joiners.remove(&id);
        let now = self.now();
        if let Some(span) = by.and_then(|by| self.spans.get_mut(&by)?.last_mut())
            && span.raw.joins() == Some(id)
        {
            (span.to, span.joins, span.is_over) = (now, Some(index), true);
        }
        if let Some(life) = self.lives.get_mut(&index) {
            life.joined_by = by;
        }
    }

    /// The last thread stands at its end: what is gone with it is looked at now.
    fn last(&mut self, id: u32) {
        if self.is_beside {
            return;
        }
        let raws = self.lives.values().filter_map(|life| life.end.as_ref()?.2.as_ref());
        let raws = raws.chain(self.spans.values().flatten().map(|span| &span.raw));
        self.names = Names::of(id, raws);
        self.opened = Some(self.before.open(id));
        self.look_at_children();
        self.spent = spent(id).map_or(0.0, |(own, _)| own);
        self.arrivals.last(self.now(), id);
    }

    /// Looks at `main` and some of the others.
    fn look(&mut self) {
        let now = self.now();
        self.looks += 1;
        if self.looks % CHILDREN == 1 && !self.is_beside {
            self.look_at_children();
            self.arrivals.look(now, self.pid);
        }
        if !self.is_readable || !self.is_traced || self.ending.is_some() {
            return;
        }
        if self.at_work.contains_key(&0) {
            let raw = self.process.look(self.pid);
            self.seen(0, self.pid, raw, now);
        }
        let others = self.at_work.range(self.turn.max(1)..).take(AT_ONCE);
        let others: Vec<_> = others.map(|(index, id)| (*index, *id)).collect();
        self.turn = if others.len() < AT_ONCE { 1 } else { others[AT_ONCE - 1].0 + 1 };
        for (index, id) in others {
            let raw = self.process.look(id);
            if let Some(joined) = raw.joins() {
                self.joiners.insert(joined, index);
            }
            if self.is_beside {
                self.seen(index, id, raw, now);
            }
        }
    }

    /// Takes what a look saw a thread do. Beside a program each call is told alone.
    fn seen(&mut self, index: usize, id: u32, raw: Raw, now: f64) {
        if self.is_beside
            // It may be gone before its end can be looked at.
            && let Some(life) = self.lives.get_mut(&index)
            && (life.name.is_empty() || life.name == self.name)
        {
            life.name = name_of(id).unwrap_or_default();
        }
        let is_counted =
            self.is_beside || raw.nr().is_some_and(|number| RUN_AT_THEIR_END.contains(&number));
        let ran = if is_counted { ran(id).map_or(0, |ran| ran.times) } else { 0 };
        let half = self.every.as_secs_f64() / 2.0;
        let born = self.lives.get(&index).map_or(0.0, |life| life.born);
        let spans = self.spans.entry(index).or_default();
        if let Some(span) = spans.last_mut().filter(|span| !span.is_over) {
            if span.raw.line == raw.line {
                if span.ran == ran {
                    span.to = now;
                    if span.several && now - span.since >= ALONE {
                        (span.to, span.is_over) = (span.since, true);
                        let (from, joins) = (span.since, span.joins);
                        spans.push(Span::of(from, now, raw, joins, ran));
                    }
                    return;
                }
                if !self.is_beside && (span.several || now - span.from < ALONE) {
                    (span.to, span.since) = (now, now - half);
                    (span.several, span.ran) = (true, ran);
                    return;
                }
            }
            // It ended somewhere between two looks.
            span.to += half.min((now - span.to) / 2.0);
            span.is_over = true;
        }
        if raw.nr().is_none() {
            return;
        }
        forget_short(spans, self.every);
        let before = spans.last().map_or(born, |span| span.to);
        let joins = raw.joins().and_then(|id| self.by_id.get(&id).copied());
        let from = (now - half).max(before);
        spans.push(Span::of(from, now, raw, joins, ran));
    }

    fn note_child(&mut self, pid: u32) {
        let is_known = self.children.iter().any(|child| child.pid == pid && !child.is_gone);
        if self.children.len() < MOST_CHILDREN && !is_known {
            self.children.push(Offspring {
                pid,
                child: None,
                spent: 0.0,
                looks: 0,
                is_gone: false,
            });
        }
    }

    fn look_at_children(&mut self) {
        for offspring in self.children.iter_mut().filter(|offspring| !offspring.is_gone) {
            match (spent(offspring.pid), file::child(offspring.pid)) {
                (Some((own, others)), Some(child)) => {
                    offspring.spent = own + others;
                    offspring.child = Some(child);
                    offspring.looks += 1;
                }
                _ => offspring.is_gone = true,
            }
        }
    }

    /// Where the work was done, if it was done by a child: the one for whose end `main` waited most of the time, or
    /// one that was there for most of the time and took much more of the processor than the program itself.
    fn worker(&self, ended: f64) -> Option<Child> {
        let is_wait =
            |span: &&Span| matches!(span.raw.nr(), Some(libc::SYS_wait4 | libc::SYS_waitid));
        let length = |span: &Span| span.to - span.from;
        let mut waited: HashMap<Option<u32>, f64> = HashMap::new();
        for span in self.spans_of_main().iter().filter(is_wait) {
            *waited.entry(span.raw.child()).or_default() += length(span);
        }
        let each = LOOKS.as_secs_f64() * f64::from(CHILDREN);
        let was_there = |one: &Offspring| f64::from(one.looks) * each;
        let seen = || self.children.iter().filter(|child| child.child.is_some());
        let by_pid = |pid: u32| seen().rev().find(|child| child.pid == pid);
        let is_most = |time: f64| time > ended / 2.0;
        let named = waited.iter().filter(|(_, time)| is_most(**time)).find_map(|(pid, _)| *pid);
        if let Some(child) = named.and_then(by_pid) {
            return child.child.clone();
        }
        let there = || seen().filter(|child| is_most(was_there(child)));
        let busiest = there().max_by(|a, b| a.spent.total_cmp(&b.spent))?;
        if busiest.spent >= 0.05 && busiest.spent > 2.0 * self.spent {
            return busiest.child.clone();
        }
        // Of those that it may have waited for the ones that have ended come first: others only live longer.
        let longest = there().max_by_key(|child| (child.is_gone, child.looks))?;
        longest.child.clone().filter(|_| is_most(waited.values().sum()))
    }

    fn spans_of_main(&self) -> &[Span] {
        self.spans.get(&0).map_or(&[], Vec::as_slice)
    }

    /// When the process began to end, or was gone.
    fn ended_at(&self) -> f64 {
        let last = || self.lives.values().filter_map(|life| life.end.as_ref().map(|(at, ..)| *at));
        let ended = self.ending.unwrap_or_else(|| last().fold(0.0, f64::max));
        let gone = || self.end.map_or_else(|| self.now(), |(gone, _)| gone);
        if ended > 0.0 { ended } else { gone() }
    }

    /// The last wait of a thread goes on until the end if it was in it then.
    fn last_waits_go_on_until(&mut self, ended: f64) {
        for (index, spans) in &mut self.spans {
            if let Some((_, Ended::Cut, Some(raw))) =
                self.lives.get(index).and_then(|life| life.end.as_ref())
                && let Some(span) = spans.last_mut()
                && span.raw.line == raw.line
            {
                span.to = ended;
            }
        }
    }

    /// The threads alone, after the end: when each was born and ended, and when it waited for a futex.
    pub(super) fn trace(mut self) -> Trace {
        let ended = self.ended_at();
        self.last_waits_go_on_until(ended);
        let is_killed = matches!(self.end, Some((_, Change::Killed(_))));
        let name = |index: usize| match self.lives.get(&index) {
            _ if index == 0 => "main".to_owned(),
            Some(life) if !life.name.is_empty() => life.name.clone(),
            _ => self.name.clone(),
        };
        let is_wait = |span: &&Span| span.raw.waits_for_a_futex() && span.to - span.from >= A_WAIT;
        let wait = |span: &Span| trace::Wait {
            from: span.from,
            to: span.to.min(ended),
            joins: span.joins.map(name),
        };
        let spans = |index: &usize| self.spans.get(index).map_or(&[][..], Vec::as_slice);
        let thread = |(index, life): (&usize, &Life)| trace::Thread {
            name: name(*index),
            born: life.born,
            returned: match life.end {
                Some((at, Ended::Itself | Ended::Replaced, _)) => Some(at),
                // It was in its own end when the process ended. A second signal would end one that was not.
                Some((_, Ended::Unread, _)) if !is_killed => Some(ended),
                _ => None,
            },
            waits: spans(index).iter().filter(is_wait).map(wait).collect(),
        };
        let threads = self.lives.iter().map(thread).collect();
        Trace { threads, ended, ended_by: self.by.map(name) }
    }

    /// What was seen, after the end.
    pub fn finish(mut self) -> Sight {
        let (_, change) = self.end.unwrap_or((self.now(), Change::Exited(0)));
        let ended = self.ended_at();
        let indices: HashMap<usize, usize> =
            self.lives.keys().enumerate().map(|(index, key)| (*key, index)).collect();
        let end = match change {
            Change::Killed(signal) => End::Signal { signal, from: self.sender(signal, &indices) },
            Change::Exited(code) => {
                End::Exit { code, by: self.by.and_then(|by| indices.get(&by).copied()) }
            }
            _ => End::Exit { code: 0, by: None },
        };
        let crashed = match &end {
            End::Signal { from: Sender::Fault(index), .. } => Some(*index),
            _ => None,
        };
        let in_it = self.spans_of_main().last().map(|span| (span.raw.line.clone(), span.since));
        self.last_waits_go_on_until(ended);
        let doing = |raw: &Raw, in_it| raw.doing(&self.names, &self.directory, in_it);
        let joined = self.joined();
        let thread = |(key, life): (&usize, &Life)| {
            let fate = match &life.end {
                Some((at, Ended::Itself, _)) => Fate::Ended(*at),
                Some((_, Ended::TheProcess, _)) => Fate::EndedTheProcess,
                Some((at, Ended::Replaced, _)) => Fate::Replaced(*at),
                _ if crashed == indices.get(key).copied() && crashed.is_some() => {
                    Fate::Cut(Doing::Crashed)
                }
                Some((_, Ended::Cut, Some(raw))) => {
                    let since = in_it.as_ref().filter(|(line, _)| *key == 0 && *line == raw.line);
                    Fate::Cut(doing(raw, since.map(|(_, from)| ended - from)))
                }
                Some((at, Ended::Unread, _)) if !self.is_readable => {
                    if *at < ended - A_MOMENT {
                        Fate::Ended(*at)
                    } else {
                        Fate::Cut(Doing::Unknown)
                    }
                }
                Some((_, Ended::Unread, _)) => Fate::Ending,
                _ => Fate::Cut(Doing::Unknown),
            };
            let name = if life.name.is_empty() { &self.name } else { &life.name };
            Thread {
                id: life.id,
                name: name.clone(),
                named: life.named,
                born: life.born,
                fate,
                joined_by: life
                    .joined_by
                    .or_else(|| joined.get(key).copied())
                    .and_then(|by| indices.get(&by).copied()),
            }
        };
        let threads = self.lives.iter().map(thread).collect();
        let is_wait = |span: &&Span| span.to - span.from >= LOOKS.as_secs_f64();
        let wait = |span: &Span| Wait {
            from: span.from,
            to: span.to,
            doing: doing(&span.raw, Some(span.to - span.since)),
            several: span.several,
            joins: span.joins.and_then(|joins| indices.get(&joins).copied()),
        };
        let waits = self.spans_of_main().iter().filter(is_wait).map(wait).collect();
        let worker = self.worker(ended);
        let stood = self.stood.take().map(|stood| Stood {
            at: stood.at,
            threads: stood
                .threads
                .into_iter()
                .filter_map(|(key, doing)| Some((*indices.get(&key)?, doing)))
                .collect(),
        });
        if self.forgotten > 0 {
            let forgotten = self.forgotten;
            self.limit(&format!(
                "{forgotten} more threads that ended by themselves are not told of: {MOST_THREADS} are the most"
            ));
        }
        let (files, limits) = match self.opened.take() {
            Some(opened) => self.before.left(&self.directory, opened),
            None => {
                self.limit("which files were open at the end was not seen");
                self.before.left(&self.directory, Default::default())
            }
        };
        self.limits.extend(limits);
        Sight {
            command: self.command.clone(),
            pid: self.pid,
            ended,
            end,
            threads,
            signals: self.signals(&indices),
            waits,
            printed: Vec::new(),
            alarm: None,
            files,
            children: file::left_behind(),
            worker,
            stood,
            limits: self.limits.clone(),
        }
    }

    fn sender(&self, signal: i32, indices: &HashMap<usize, usize>) -> Sender {
        // The one signal that stops nothing before it ends a process.
        let received = self.received.get(&signal).filter(|_| signal != SIGKILL);
        self.sender_of(signal, received, self.sent.get(&signal), indices)
    }

    fn sender_of(
        &self,
        signal: i32,
        received: Option<&Received>,
        sent: Option<&Sender>,
        indices: &HashMap<usize, usize>,
    ) -> Sender {
        let sent = sent.cloned();
        let Some(received) = received else { return sent.unwrap_or(Sender::Unknown) };
        let is_fault = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS].contains(&signal);
        let is_write = matches!(received.call, Some(number) if WRITES.contains(&number));
        let from = match received.pid {
            _ if received.code > 0 && is_fault => {
                indices.get(&received.thread).map_or(Sender::Kernel, |index| Sender::Fault(*index))
            }
            _ if received.code > 0 => Sender::Kernel,
            // The kernel sends it in the name of who writes.
            pid if pid == self.pid && is_write => Sender::Kernel,
            pid if pid == self.pid => Sender::Itself,
            pid if pid == process::id() => sent.unwrap_or(Sender::Tracer),
            0 => Sender::Unknown,
            pid => Sender::Process { pid, name: received.name.clone() },
        };
        if received.again { Sender::Again(Box::new(from)) } else { from }
    }

    /// Who was seen in a join of a thread, at its own end or in a wait of `main`, by the thread.
    fn joined(&self) -> HashMap<usize, usize> {
        let waited = self.spans_of_main().iter();
        let waited = waited.filter_map(|span| Some((span.joins?, 0)));
        let keys: HashMap<u32, usize> =
            self.lives.iter().map(|(key, life)| (life.id, *key)).collect();
        let cut = self.lives.iter().filter_map(|(by, life)| match &life.end {
            Some((_, Ended::Cut, Some(raw))) => Some((*keys.get(&raw.joins()?)?, *by)),
            _ => None,
        });
        waited.chain(cut).filter(|(joined, by)| joined != by).collect()
    }

    fn signals(&self, indices: &HashMap<usize, usize>) -> Vec<Arrival> {
        let arrivals = self.arrivals.iter().map(|one| Arrival {
            at: one.at,
            signal: one.signal,
            from: self.sender_of(one.signal, one.received.as_ref(), one.sent.as_ref(), indices),
            met: one.met,
            delivered: one.delivered,
            held_up: one.held_up,
        });
        arrivals.collect()
    }
}

/// A call is no wait that was over before the next look.
fn forget_short(spans: &mut Vec<Span>, every: Duration) {
    spans.pop_if(|span| span.to - span.from < every.as_secs_f64());
    if spans.len() >= 2 * MOST_WAITS {
        let length = |span: &Span| span.to - span.from;
        spans.sort_by(|a, b| length(b).total_cmp(&length(a)));
        spans.truncate(MOST_WAITS);
        spans.sort_by(|a, b| a.from.total_cmp(&b.from));
    }
}

/// The seconds of CPU that a process has used, and those of its children that it has waited for.
fn spent(pid: u32) -> Option<(f64, f64)> {
    let stat = Stat::of_process(pid)?;
    let [user, system, others_user, others_system] =
        [14, 15, 16, 17].map(|field| stat.number(field));
    Some(((user? + system?) as f64 / TICKS, (others_user? + others_system?) as f64 / TICKS))
}
