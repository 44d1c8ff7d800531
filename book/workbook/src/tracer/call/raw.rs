//! One look at a thread, by `/proc`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};

use crate::proc::small;

use super::names::{self, Names};
use super::table::{About, Time, known};
use super::{Call, Doing, Left};

/// So many of the descriptors of one `poll` or `select` are looked at.
const POLLED: usize = 16;

/// A process whose threads are looked at: what is opened once for all looks.
#[derive(Debug)]
pub struct Process {
    memory: Option<fs::File>,
    /// Whether its programs have this machine's word size: calls of another have other numbers.
    native: bool,
    /// Whether it is told what an `epoll` watches.
    watched: bool,
}

/// What was read at one look at a thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// What the kernel says of the call, its arguments and its place: two looks with the same line
    /// saw the same call, or the same again.
    pub line: String,
    state: State,
    about: Subject,
    limit: Limit,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    NotSeen,
    Computing,
    Call { number: i64, args: [u64; 6], native: bool },
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    None,
    /// Descriptors and where they lead, and how many more there are.
    Files(Vec<(i32, PathBuf)>, usize),
    Path(PathBuf),
    Words(String),
}

/// How long a call waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    Untold,
    Forever,
    /// From the call's beginning.
    Asked(f64),
    /// From this look on.
    Left(f64),
}

impl Process {
    /// The process that this thread belongs to. To be called again after an `execve`, which gives it another
    /// memory and perhaps another word size.
    pub fn of(tid: u32) -> Process {
        let mut ident = [0; 5];
        let native = fs::File::open(format!("/proc/{tid}/exe"))
            .and_then(|exe| exe.read_exact_at(&mut ident, 0))
            // One that cannot be read is most likely like all others.
            .map_or(true, |()| ident[4] == if cfg!(target_pointer_width = "64") { 2 } else { 1 });
        Process { memory: fs::File::open(format!("/proc/{tid}/mem")).ok(), native, watched: false }
    }

    /// Tells at each look what an `epoll` watches as well. For a server with thousands of connections that takes
    /// milliseconds.
    pub fn with_watched(self) -> Process {
        Process { watched: true, ..self }
    }

    /// What a thread of it does now; it goes on afterwards.
    pub fn look(&self, tid: u32) -> Raw {
        self.read(tid, false)
    }

    /// What a thread of it was doing when it was cut off. It stands at its exit: its call was broken off, and
    /// for some calls the kernel has written the time that was left.
    pub fn last_look(&self, tid: u32) -> Raw {
        self.read(tid, true)
    }

    fn read(&self, tid: u32, cut: bool) -> Raw {
        let line = small(&format!("/proc/{tid}/syscall")).unwrap_or_default();
        let state = state(&line, self.native);
        let mut raw = Raw { line, state, about: Subject::None, limit: Limit::Untold };
        if let State::Call { number, args, native: true } = raw.state
            && let Some(known) = known(number)
        {
            raw.about = self.about(tid, known.about, &args);
            raw.limit = self.limit(known.time, &args, cut);
        }
        raw
    }

    fn about(&self, tid: u32, about: About, args: &[u64; 6]) -> Subject {
        match about {
            About::Nothing => Subject::None,
            About::Fd(at) => files(tid, vec![args[at] as i32]),
            About::Path(at) => self.path(args[at]).map_or(Subject::None, Subject::Path),
            About::Address => self
                .bytes(args[1], (args[2] as usize).min(110))
                .and_then(|bytes| names::address(&bytes))
                .map_or_else(|| files(tid, vec![args[0] as i32]), Subject::Words),
            About::Poll => self.polled(args).map_or(Subject::None, |fds| files(tid, fds)),
            About::Epoll if self.watched => files(tid, watched(tid, args[0] as i32)),
            // Its own descriptor says nothing.
            About::Epoll => Subject::None,
            About::Select => files(tid, self.selected(args)),
            About::Child => Subject::Words(match args[0] as i32 {
                pid @ 1.. => child(pid as u32),
                _ => "any child".to_owned(),
            }),
            About::ChildOfKind => Subject::Words(match args[0] {
                1 => child(args[1] as u32),
                3 => pidfd(tid, args[1] as i32).map_or_else(|| "a child".to_owned(), child),
                _ => "any child".to_owned(),
            }),
        }
    }

    fn limit(&self, time: Time, args: &[u64; 6], cut: bool) -> Limit {
        /// Of `clock_nanosleep`.
        const ABSOLUTE: u64 = 1;
        match time {
            Time::No => Limit::Untold,
            Time::Forever => Limit::Forever,
            Time::Millis(at) => match args[at] as i32 {
                millis @ 0.. => Limit::Asked(f64::from(millis) / 1e3),
                _ => Limit::Forever,
            },
            Time::Timespec(at) => self.relative(args[at], 1e9, false),
            Time::Counted(at) => self.relative(args[at], 1e9, cut),
            Time::CountedMicros(at) => self.relative(args[at], 1e6, cut),
            Time::Sleep => self.sleep(args[0], args[1], cut),
            Time::SleepByClock if args[1] & ABSOLUTE != 0 => self.until(args[2], args[0]),
            // The processor's time is none that a reader can wait for.
            Time::SleepByClock if matches!(args[0] as i32, 2 | 3) => Limit::Untold,
            Time::SleepByClock => self.sleep(args[2], args[3], cut),
            Time::Futex => self.futex(args),
            Time::Until(at, clock) => self.until(args[at], args[clock]),
            Time::UntilOfDay(at) => self.until(args[at], REALTIME),
            Time::Uring => self.uring(args),
        }
    }

    /// A limit from the call's beginning; `counted` where what is left stands there now.
    fn relative(&self, at: u64, parts: f64, counted: bool) -> Limit {
        if at == 0 {
            return Limit::Forever;
        }
        match self.seconds(at, parts) {
            Some(seconds) if counted => Limit::Left(seconds),
            Some(seconds) => Limit::Asked(seconds),
            None => Limit::Untold,
        }
    }

    fn sleep(&self, asked: u64, rest: u64, cut: bool) -> Limit {
        if cut && rest != 0 {
            self.relative(rest, 1e9, true)
        } else {
            self.relative(asked, 1e9, false)
        }
    }

    fn until(&self, at: u64, clock: u64) -> Limit {
        let clock = match clock {
            REALTIME => ClockId::Realtime,
            1 => ClockId::Monotonic,
            7 => ClockId::Boottime,
            _ => return Limit::Untold,
        };
        if at == 0 {
            return Limit::Forever;
        }
        let now = clock_gettime(clock);
        match self.seconds(at, 1e9) {
            Some(then) => {
                Limit::Left((then - now.tv_sec as f64 - now.tv_nsec as f64 / 1e9).max(0.0))
            }
            None => Limit::Untold,
        }
    }

    fn futex(&self, args: &[u64; 6]) -> Limit {
        const OF_DAY: u64 = 256;
        let clock = if args[1] & OF_DAY == 0 { MONOTONIC } else { REALTIME };
        match operation(args) {
            0 => self.relative(args[3], 1e9, false),
            // A wait with a set of bits, for a priority-inheriting lock, and to be moved to one.
            9 | 11 | 13 => self.until(args[3], clock),
            6 => self.until(args[3], REALTIME),
            _ => Limit::Untold,
        }
    }

    fn uring(&self, args: &[u64; 6]) -> Limit {
        const GET_EVENTS: u64 = 1;
        const WITH_LIMIT: u64 = 8;
        const ABSOLUTE: u64 = 32;
        let flags = args[3];
        if flags & GET_EVENTS == 0 || args[2] == 0 {
            return Limit::Untold;
        }
        if flags & WITH_LIMIT == 0 {
            return Limit::Forever;
        }
        match self.word(args[4] + 16) {
            Some(0) => Limit::Forever,
            Some(at) if flags & ABSOLUTE != 0 => self.until(at, MONOTONIC),
            Some(at) => self.relative(at, 1e9, false),
            None => Limit::Untold,
        }
    }

    fn polled(&self, args: &[u64; 6]) -> Option<Vec<i32>> {
        let count = (args[1] as usize).min(1 << 16);
        let read = self.bytes(args[0], count.min(POLLED) * 8)?;
        let mut fds = read
            .chunks_exact(8)
            .map(|entry| i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]))
            .collect::<Vec<_>>();
        // Those beyond are counted and not looked at.
        fds.resize(count, -1);
        Some(fds)
    }

    fn selected(&self, args: &[u64; 6]) -> Vec<i32> {
        let size = (args[0] as usize).min(1024);
        let mut fds = Vec::new();
        for set in args[1..4].iter().filter(|set| **set != 0) {
            let bytes = self.bytes(*set, size.div_ceil(8)).unwrap_or_default();
            let listed =
                |fd: &usize| bytes.get(fd / 8).is_some_and(|byte| byte >> (fd % 8) & 1 == 1);
            fds.extend((0..size).filter(listed).map(|fd| fd as i32));
        }
        fds.sort_unstable();
        fds.dedup();
        fds
    }

    /// A `timespec` or, with a million parts, a `timeval`.
    fn seconds(&self, at: u64, parts: f64) -> Option<f64> {
        let bytes = self.bytes(at, 16)?;
        let (seconds, part) = bytes.split_at(8);
        let number = |bytes: &[u8]| Some(i64::from_ne_bytes(bytes.try_into().ok()?) as f64);
        Some(number(seconds)? + number(part)? / parts)
    }

    fn word(&self, at: u64) -> Option<u64> {
        let bytes = self.bytes(at, 8)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// A path, of which 256 bytes are enough for a reader.
    fn path(&self, at: u64) -> Option<PathBuf> {
        let mut bytes = vec![0; 256];
        let read = self.memory.as_ref()?.read_at(&mut bytes, at).ok()?;
        let text = bytes[..read].split(|byte| *byte == 0).next()?;
        (!text.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(text)))
    }

    fn bytes(&self, at: u64, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.memory.as_ref()?.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    }
}

const REALTIME: u64 = 0;
const MONOTONIC: u64 = 1;

impl Raw {
    /// It in the words of a reader: files below `dir` by their path from there, sockets by `names`. `in_it` is
    /// for how many seconds the thread is known to have been in this very call.
    pub fn doing(&self, names: &Names, dir: &Path, in_it: Option<f64>) -> Doing {
        let (number, args, native) = match &self.state {
            State::NotSeen => return Doing::Unknown,
            State::Computing => return Doing::Computing,
            State::Call { number, args, native } => (*number, args, *native),
        };
        let name = match known(number) {
            _ if !native => format!("call {number}, of another word size"),
            // Operations that wake others do not wait.
            Some(known) if known.name == "futex" && !waits(args) => "futex_wake".to_owned(),
            Some(known) => known.name.to_owned(),
            None => format!("call {number}"),
        };
        let about = match &self.about {
            Subject::None => None,
            Subject::Words(words) => Some(words.clone()),
            Subject::Path(path) => Some(names::below(path, dir)),
            Subject::Files(files, more) => files.first().map(|(fd, to)| match more {
                0 => names.file(*fd, to, dir),
                _ => format!("{} and {more} more", names.file(*fd, to, dir)),
            }),
        };
        let left = match (self.limit, in_it) {
            (Limit::Untold, _) => Left::Untold,
            (Limit::Forever, _) => Left::Forever,
            (Limit::Left(seconds), _) => Left::Seconds(seconds),
            // Longer in it than it takes: it was the same call again.
            (Limit::Asked(seconds), Some(spent)) if spent <= seconds => {
                Left::Seconds(seconds - spent)
            }
            (Limit::Asked(seconds), _) => Left::AtMost(seconds),
        };
        Doing::Call(Call { name, about, left })
    }

    /// The child that it waits for, if it waits for just one.
    pub fn child(&self) -> Option<u32> {
        /// Of `waitid`: the id is a process's.
        const PROCESS: u64 = 1;
        match &self.state {
            State::Call { number: libc::SYS_wait4, args, native: true } => {
                u32::try_from(args[0] as i32).ok().filter(|pid| *pid > 0)
            }
            State::Call { number: libc::SYS_waitid, args: [PROCESS, pid, ..], native: true } => {
                u32::try_from(*pid).ok()
            }
            _ => None,
        }
    }

    /// The thread whose end it waits for, as glibc's join does: in a wait on a futex that other processes could
    /// share, for the value that is the thread's id.
    pub fn joins(&self) -> Option<u32> {
        /// Waits that are not for a join are for this process alone.
        const PRIVATE: u64 = 128;
        match &self.state {
            State::Call { number: libc::SYS_futex, args, native: true }
                if args[1] & PRIVATE == 0 && matches!(operation(args), 0 | 9) =>
            {
                Some(args[2] as u32)
            }
            _ => None,
        }
    }

    /// Whether it is a wait for a futex: for a lock, a channel, a condition or the end of a thread.
    pub fn waits_for_a_futex(&self) -> bool {
        match &self.state {
            State::Call { number: libc::SYS_futex, args, native: true } => waits(args),
            State::Call { number: libc::SYS_futex_waitv, native: true, .. } => true,
            _ => false,
        }
    }

    /// The number of the call; none where the thread was in no call, or in one of another word size, or could
    /// not be seen.
    pub fn nr(&self) -> Option<i64> {
        match self.state {
            State::Call { number, native: true, .. } => Some(number),
            _ => None,
        }
    }

    /// Whether it could not be seen: for lack of a right, or because the thread was gone.
    pub fn unreadable(&self) -> bool {
        self.state == State::NotSeen
    }

    /// The sockets that it is about, by their inodes, with a descriptor of each.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (u64, i32)> {
        let files = match &self.about {
            Subject::Files(files, _) => files.as_slice(),
            _ => &[],
        };
        files.iter().filter_map(|(fd, to)| Some((names::socket(to)?, *fd)))
    }
}

/// Which of its operations a `futex` call does, without its flags.
fn operation(args: &[u64; 6]) -> u64 {
    args[1] & 127
}

fn waits(args: &[u64; 6]) -> bool {
    matches!(operation(args), 0 | 6 | 9 | 11 | 13)
}

/// Of a line like `202 0x7f… 0x80 0x2 0x0 0x0 0x0 0x7ffd… 0x7f…`; one that starts with -1 or is `running` is of a
/// thread in no call.
fn state(line: &str, native: bool) -> State {
    let mut words = line.split_whitespace();
    let number = match words.next() {
        None => return State::NotSeen,
        Some("running") => return State::Computing,
        Some(number) => number.parse::<i64>(),
    };
    let mut args = [0; 6];
    for (arg, word) in args.iter_mut().zip(words) {
        *arg =
            word.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    }
    match number {
        Ok(number @ 0..) => State::Call { number, args, native },
        Ok(_) => State::Computing,
        Err(_) => State::NotSeen,
    }
}

/// The descriptors that an `epoll` watches.
fn watched(tid: u32, fd: i32) -> Vec<i32> {
    let info = fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
    let watched = |line: &str| line.strip_prefix("tfd:")?.split_whitespace().next()?.parse().ok();
    info.lines().filter_map(watched).collect()
}

/// Where the first of these descriptors lead that lead anywhere, sockets first: they tell more than what an event loop
/// wakes itself with. The others are counted.
fn files(tid: u32, fds: Vec<i32>) -> Subject {
    let count = fds.len();
    let mut links = fds
        .into_iter()
        .take(POLLED)
        .filter(|fd| *fd >= 0)
        .filter_map(|fd| Some((fd, fs::read_link(format!("/proc/{tid}/fd/{fd}")).ok()?)))
        .collect::<Vec<_>>();
    links.sort_by_key(|(_, to)| names::socket(to).is_none());
    match links.len() {
        0 => Subject::None,
        _ => Subject::Files(links, count - 1),
    }
}

fn child(pid: u32) -> String {
    match small(&format!("/proc/{pid}/comm")) {
        Some(name) => format!("child {pid} ({})", name.trim_end()),
        None => format!("child {pid}"),
    }
}

/// The process that a descriptor stands for.
fn pidfd(tid: u32, fd: i32) -> Option<u32> {
    let info = small(&format!("/proc/{tid}/fdinfo/{fd}"))?;
    info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::table::{About, Time};
    use super::{Doing, Limit, Names, Process, Raw, State, Subject, state};

    /// This process stands for the one that is looked at: what its calls point to is in its own memory.
    fn process() -> Process {
        Process::of(std::process::id())
    }

    fn raw(line: &str, about: Subject, limit: Limit) -> Raw {
        Raw { line: line.to_owned(), state: state(line, true), about, limit }
    }

    fn words(raw: &Raw, in_it: Option<f64>) -> String {
        raw.doing(&Names::default(), Path::new("/srv/app"), in_it).words()
    }

    fn at<T: ?Sized>(value: &T) -> u64 {
        std::ptr::from_ref(value).cast::<u8>().addr() as u64
    }

    #[test]
    fn a_line_tells_the_call_or_that_there_is_none() {
        assert_eq!(state("", true), State::NotSeen);
        assert_eq!(state("running\n", true), State::Computing);
        assert_eq!(state("-1 0x7ffd 0x7f04\n", true), State::Computing);
        let args = [3, 0x7f04, 0x20, 0, 0xffff_ffff_ffff_ffff, 0];
        assert_eq!(
            state("7 0x3 0x7f04 0x20 0x0 0xffffffffffffffff 0x0 0x7ffd 0x7f05\n", true),
            State::Call { number: 7, args, native: true }
        );
    }

    #[test]
    fn a_limit_from_the_beginning_counts_from_there() {
        let sleep =
            raw(&format!("{} 0x0", libc::SYS_nanosleep), Subject::None, Limit::Asked(100.0));
        assert_eq!(words(&sleep, Some(0.4)), "asleep, 99.6 s to go");
        assert_eq!(words(&sleep, None), "asleep, at most 100.0 s to go");
        // It has slept before, by the same call: since when it does now is not known.
        assert_eq!(words(&sleep, Some(130.0)), "asleep, at most 100.0 s to go");
    }

    #[test]
    fn a_file_below_the_directory_is_told_from_there() {
        let file = |path: &str| {
            let files = Subject::Files(vec![(5, PathBuf::from(path))], 0);
            words(&raw(&format!("{} 0x5", libc::SYS_write), files, Limit::Untold), None)
        };
        assert_eq!(file("/srv/app/logs/journal.txt"), "in `write` to logs/journal.txt");
        assert_eq!(file("/srv/application"), "in `write` to /srv/application");
        assert_eq!(file("pipe:[77]"), "in `write` to a pipe");
        assert_eq!(file("socket:[77]"), "in `write` to a socket");
        assert_eq!(file("anon_inode:[eventfd]"), "in `write` to a descriptor of kind eventfd");
    }

    #[test]
    fn a_futex_is_a_wait_or_wakes_and_may_be_a_join() {
        let futex = |operation: u64| {
            let line = format!("{} 0x7f00 {operation:#x} 0x1267 0x0", libc::SYS_futex);
            let raw = raw(&line, Subject::None, Limit::Untold);
            (words(&raw, None), raw.joins())
        };
        assert_eq!(futex(0x80), ("waiting for another thread (futex)".to_owned(), None));
        assert_eq!(futex(0x81), ("in `futex_wake`".to_owned(), None));
        // As glibc joins: with a set of bits, by the day's clock, and not private.
        assert_eq!(futex(0x109), ("waiting for another thread (futex)".to_owned(), Some(0x1267)));
    }

    #[test]
    fn limits_are_read_from_memory() {
        let rest = [7_i64, 500_000_000];
        let past = [1_i64, 0];
        let asked = [90_i64, 0];
        let process = process();
        let limit = |time, args: [u64; 6], cut| process.limit(time, &args, cut);
        let (rest, past, asked) = (at(&rest), at(&past), at(&asked));
        assert_eq!(limit(Time::Timespec(3), [0, 0, 0, asked, 0, 0], false), Limit::Asked(90.0));
        assert_eq!(limit(Time::Timespec(3), [0; 6], false), Limit::Forever);
        assert_eq!(limit(Time::Timespec(3), [0, 0, 0, 8, 0, 0], false), Limit::Untold);
        assert_eq!(limit(Time::Sleep, [asked, rest, 0, 0, 0, 0], false), Limit::Asked(90.0));
        assert_eq!(limit(Time::Sleep, [asked, rest, 0, 0, 0, 0], true), Limit::Left(7.5));
        assert_eq!(limit(Time::Counted(2), [0, 0, rest, 0, 0, 0], true), Limit::Left(7.5));
        assert_eq!(limit(Time::SleepByClock, [1, 1, past, 0, 0, 0], false), Limit::Left(0.0));
        assert_eq!(limit(Time::Millis(3), [0, 0, 0, 1500, 0, 0], false), Limit::Asked(1.5));
        assert_eq!(limit(Time::Millis(3), [0, 0, 0, 0xffff_ffff, 0, 0], false), Limit::Forever);
        // A wait for an event of io_uring, with a limit and with none.
        let with_limit = [0, 0, asked];
        let uring = |args| limit(Time::Uring, args, false);
        assert_eq!(uring([3, 0, 1, 9, at(&with_limit), 24]), Limit::Asked(90.0));
        assert_eq!(uring([3, 0, 1, 1, 0, 0]), Limit::Forever);
        assert_eq!(uring([3, 1, 0, 0, 0, 0]), Limit::Untold);
    }

    #[test]
    fn descriptors_of_poll_and_select_are_read_from_memory() {
        let process = process();
        let polled = [[5_i32, 1], [-1, 1], [9, 1]];
        assert_eq!(process.polled(&[at(&polled), 3, 0, 0, 0, 0]), Some(vec![5, -1, 9]));
        let sets = [[0b100_0000_u64], [0b10_0001]];
        let [read, write] = [at(&sets[0]), at(&sets[1])];
        assert_eq!(process.selected(&[7, read, write, 0, 0, 0]), [0, 5, 6]);
        let path = c"/srv/app/pipe";
        let opened = process.about(
            std::process::id(),
            About::Path(1),
            &[0, path.as_ptr().addr() as u64, 0, 0, 0, 0],
        );
        assert_eq!(opened, Subject::Path(PathBuf::from("/srv/app/pipe")));
    }

    #[test]
    fn what_cannot_be_seen_is_not_said() {
        assert_eq!(
            raw("", Subject::None, Limit::Untold).doing(&Names::default(), Path::new("/"), None),
            Doing::Unknown
        );
        let foreign = Raw {
            line: String::new(),
            state: State::Call { number: 4, args: [0; 6], native: false },
            about: Subject::None,
            limit: Limit::Untold,
        };
        assert_eq!(words(&foreign, None), "in call 4, of another word size");
        assert_eq!(foreign.nr(), None);
    }
}
