//! What the threads of a process that runs now are doing: two looks, without attaching.
//!
//! The kernel counts how often each thread was given a processor. Where the count is the same at both looks the
//! thread did not move; since when, tells the clock that the processor showed when it last ran there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Serialize;

use crate::proc::{Stat, Status, name_of, small};

use super::Limit;
use super::call::{Doing, Names, Process};
use super::file::command;

/// So many threads are looked at.
const THREADS: usize = 20_000;

/// A process as it was seen at two looks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Look {
    /// Its id.
    pub pid: u32,
    /// Its name: 15 bytes at most.
    pub name: String,
    /// Its command, word by word.
    pub command: Vec<String>,
    /// The seconds between the looks.
    pub apart: f64,
    /// Its threads at the second look, the first one first.
    pub threads: Vec<Seen>,
    /// How many have ended between the looks.
    pub ended: usize,
    /// What could not be seen, and why.
    pub limits: Vec<Limit>,
}

/// A thread as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The kernel's id of it.
    pub id: u32,
    /// The kernel's name of it: 15 bytes at most.
    pub name: String,
    /// Whether somebody gave it that name: one that is the process's own says nothing.
    pub named: bool,
    /// What it did at the second look.
    pub doing: Doing,
    /// The thread that it was seen joining: its id and its name.
    pub joins: Option<(u32, String)>,
    /// The kernel's function that it waits in, where its call could not be read.
    pub kernel: Option<String>,
    /// Whether something keeps it from going on.
    pub held: Option<Held>,
    /// Whether it has moved.
    pub moved: Moved,
}

/// What keeps a thread from going on, whatever it was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A signal has stopped it.
    Stopped,
    /// The one that traces it has stopped it.
    Traced,
    /// It waits in the kernel where no signal but perhaps SIGKILL reaches it.
    Uninterruptible,
    /// It has ended; the other threads of its process go on.
    Ended,
}

/// Whether a thread was given a processor between the looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// It was not; the seconds since it last was, where the kernel tells them.
    Still(Option<f64>),
    /// It was.
    Ran {
        /// How often.
        times: u64,
        /// For how many seconds in all.
        busy: f64,
    },
    /// It was born between the looks.
    Born,
    /// The kernel does not count it.
    Unknown,
}

/// Why a process cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of that id.
    None(u32),
    /// It ended between the looks.
    Ended(u32),
    /// It is a thread of the kernel, of that name.
    Kernel(u32, String),
    /// It had ended already; its parent, the second, has not taken note.
    Zombie((u32, String), (u32, String)),
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::None(pid) => write!(f, "there is no process {pid}"),
            Refusal::Ended(pid) => write!(f, "process {pid} ended while it was looked at"),
            Refusal::Kernel(pid, name) => write!(f, "{pid} ({name}) is a thread of the kernel"),
            Refusal::Zombie((pid, name), (parent, by)) => write!(
                f,
                "process {pid} ({name}) has ended; its parent {parent} ({by}) has not yet asked how"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl Look {
    /// Looks at a process twice, so long apart. With a thread's id, at the process that it belongs to.
    pub fn at(id: u32, apart: Duration) -> Result<Look, Refusal> {
        let status = Status::of(id).ok_or(Refusal::None(id))?;
        let pid = status.number("Tgid").unwrap_or(id);
        let status = if pid == id { status } else { Status::of(pid).ok_or(Refusal::None(pid))? };
        let name = name_of(pid).ok_or(Refusal::None(pid))?;
        refuse(pid, &name, &status)?;

        let before = threads(pid).map(|tid| (tid, ran(tid))).collect::<HashMap<_, _>>();
        std::thread::sleep(apart);
        // A first thread that has ended has neither memory nor files.
        let has_ended =
            |tid: &u32| Stat::of_thread(*tid).is_some_and(|stat| held(&stat) == Some(Held::Ended));
        let alive = threads(pid).find(|tid| !has_ended(tid)).unwrap_or(pid);
        let process = Process::of(alive).with_watched();
        let raws = threads(pid).map(|tid| (tid, process.look(tid))).collect::<Vec<_>>();
        let names = Names::of(alive, raws.iter().map(|(_, raw)| raw));
        // Without the right to see it, all paths are told in full.
        let dir = fs::read_link(format!("/proc/{alive}/cwd")).unwrap_or_else(|_| PathBuf::new());

        let still = raws
            .iter()
            .map(|(tid, _)| *tid)
            .filter(|tid| before.get(tid).is_some_and(|then| then.is_some() && *then == ran(*tid)))
            .collect::<BTreeSet<_>>();
        let since = Since::of(&still);
        let now = raws.iter().map(|(tid, _)| *tid).collect::<HashSet<_>>();
        let ended = before.keys().filter(|tid| !now.contains(tid)).count();
        let mut unreadable = false;
        let mut seen = Vec::new();
        for (tid, raw) in raws {
            // One without a name has ended meanwhile.
            let (Some(own), Some(stat)) = (name_of(tid), Stat::of_thread(tid)) else {
                continue;
            };
            let moved = match (before.get(&tid), ran(tid)) {
                _ if still.contains(&tid) => Moved::Still(since.seconds(tid, apart)),
                (None, _) => Moved::Born,
                (Some(Some(then)), Some(now)) => Moved::Ran {
                    times: now.times.saturating_sub(then.times),
                    busy: now.busy.saturating_sub(then.busy) as f64 / 1e9,
                },
                _ => Moved::Unknown,
            };
            let in_it = match moved {
                Moved::Still(since) => since,
                _ => None,
            };
            let held = held(&stat);
            unreadable |= raw.unreadable() && held != Some(Held::Ended);
            seen.push(Seen {
                id: tid,
                named: own != name,
                name: own,
                // What is said of one that has ended is the same as of one that computes.
                doing: match held {
                    Some(Held::Ended) => Doing::Unknown,
                    _ => raw.doing(&names, &dir, in_it),
                },
                joins: raw
                    .joins()
                    .filter(|joined| now.contains(joined))
                    .and_then(|joined| Some((joined, name_of(joined)?))),
                kernel: raw.unreadable().then(|| kernel(tid)).flatten(),
                held,
                moved,
            });
        }
        if seen.iter().all(|thread| thread.held == Some(Held::Ended)) {
            return Err(Refusal::Ended(pid));
        }
        seen.sort_by_key(|thread| (thread.id != pid, thread.id));

        let mut limits = Vec::new();
        if id != pid {
            limits.push(Limit(format!(
                "{id} is a thread of process {pid}; all threads of the process are told."
            )));
        }
        if unreadable {
            limits.push(Limit(no_right(&status)));
        }
        if let Some(tracer) = status.number("TracerPid").filter(|tracer| *tracer != 0) {
            limits.push(Limit(format!("Process {} traces it.", with_name(tracer))));
        }
        if seen.len() == THREADS {
            limits.push(Limit(format!("It has many threads; {THREADS} were looked at.")));
        }
        Ok(Look {
            pid,
            name,
            command: command(alive),
            apart: apart.as_secs_f64(),
            threads: seen,
            ended,
            limits,
        })
    }
}

impl Seen {
    /// What it did and whether it moved: "in `accept` on 127.0.0.1:8080; has not moved for 93 s".
    pub fn words(&self) -> String {
        match self.held {
            Some(Held::Ended) => self.did(),
            _ => self.did() + &moved([self.moved]),
        }
    }

    /// What it did, and what keeps it from going on.
    pub fn did(&self) -> String {
        self.with_held(match (&self.kernel, &self.joins) {
            (Some(kernel), _) => format!("in the kernel's `{kernel}`"),
            (_, Some((id, name))) => format!("joining {name} ({id}){}", self.doing.limit()),
            _ => self.doing.words(),
        })
    }

    /// The same without file and time: equal for all threads that do the same.
    pub fn kind(&self) -> String {
        self.with_held(match (&self.kernel, &self.joins) {
            (Some(kernel), _) => format!("in the kernel's `{kernel}`"),
            (_, Some(_)) => "joining a thread".to_owned(),
            _ => self.doing.kind(),
        })
    }

    fn with_held(&self, did: String) -> String {
        match self.held {
            Some(Held::Ended) => "ended".to_owned(),
            Some(held) => format!("{did}, {held}"),
            None => did,
        }
    }
}

impl Moved {
    /// One word for the variant, to tell apart what is grouped.
    pub fn kind(self) -> &'static str {
        match self {
            Moved::Still(_) => "still",
            Moved::Ran { .. } => "ran",
            Moved::Born => "born",
            Moved::Unknown => "unknown",
        }
    }
}

/// Whether threads have moved that are of one kind, as it follows what they did: "; has not moved for 93 s", or of
/// several "; none has moved for 93 s" and what all together ran.
pub fn moved(threads: impl IntoIterator<Item = Moved>) -> String {
    let threads = threads.into_iter().collect::<Vec<_>>();
    let has = if threads.len() > 1 { "none has" } else { "has not" };
    let all = |sum: Moved, next: &Moved| match (sum, *next) {
        (Moved::Still(Some(a)), Moved::Still(Some(b))) => Moved::Still(Some(a.min(b))),
        (Moved::Still(_), Moved::Still(_)) => Moved::Still(None),
        (Moved::Ran { times, busy }, Moved::Ran { times: more, busy: longer }) => {
            Moved::Ran { times: times + more, busy: busy + longer }
        }
        (sum, _) => sum,
    };
    match threads.split_first().map(|(first, rest)| rest.iter().fold(*first, all)) {
        Some(Moved::Still(Some(seconds))) => format!("; {has} moved for {}", long(seconds)),
        Some(Moved::Still(None)) => format!("; {has} moved between the looks"),
        // It had the processor at the first look and was given none again.
        Some(Moved::Ran { times: 0, busy }) => format!("; went on running for {busy:.2} s"),
        Some(Moved::Ran { times, busy }) if busy < 0.005 => format!("; ran {}", often(times)),
        Some(Moved::Ran { times, busy }) => format!("; ran {}, {busy:.2} s in all", often(times)),
        Some(Moved::Born) => "; born between the looks".to_owned(),
        Some(Moved::Unknown) | None => String::new(),
    }
}

impl Display for Held {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Held::Stopped => "stopped by a signal",
            Held::Traced => "stopped by its tracer",
            Held::Uninterruptible => "not to be interrupted (state D)",
            Held::Ended => "ended",
        })
    }
}

fn often(times: u64) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    }
}

/// Seconds as one would say them.
fn long(seconds: f64) -> String {
    match seconds as u64 {
        0..120 => format!("{seconds:.0} s"),
        whole @ 120..7200 => format!("{} min", whole / 60),
        whole @ 7200..172_800 => format!("{} h", whole / 3600),
        whole => format!("{} days", whole / 86_400),
    }
}

/// Whether there is nothing to look at.
fn refuse(pid: u32, name: &str, status: &Status) -> Result<(), Refusal> {
    /// Of the flags in a process's `stat`.
    const KERNEL: u64 = 0x20_0000;
    let stat = Stat::of_thread(pid).ok_or(Refusal::None(pid))?;
    if stat.number(9).is_some_and(|flags| flags & KERNEL != 0) {
        return Err(Refusal::Kernel(pid, name.to_owned()));
    }
    // A first thread that has ended while others live on looks the same.
    if held(&stat) == Some(Held::Ended) && threads(pid).count() < 2 {
        let parent = status.number("PPid").unwrap_or(0);
        return Err(Refusal::Zombie(
            (pid, name.to_owned()),
            (parent, name_of(parent).unwrap_or_default()),
        ));
    }
    Ok(())
}

/// Why the calls of a process cannot be read, as far as it can be told.
fn no_right(status: &Status) -> String {
    let user = rustix::process::geteuid().as_raw();
    let yama = small("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match status.number("Uid") {
        Some(owner) if owner != user => format!(
            "Its calls and files cannot be read: it belongs to user {owner}, and this is user {user}. Root may."
        ),
        _ if !matches!(yama.trim(), "" | "0") => format!(
            "Its calls cannot be read: this system (Yama, ptrace_scope {}) allows it to root only.",
            yama.trim()
        ),
        _ => "The calls of some threads could not be read.".to_owned(),
    }
}

fn with_name(pid: u32) -> String {
    match name_of(pid) {
        Some(name) => format!("{pid} ({name})"),
        None => pid.to_string(),
    }
}

/// The kernel's function that a thread waits in; a 0 means that it waits in none, or that there is no right to know.
fn kernel(tid: u32) -> Option<String> {
    let name = small(&format!("/proc/{tid}/wchan"))?;
    (!matches!(name.as_str(), "" | "0")).then_some(name)
}

fn threads(pid: u32) -> impl Iterator<Item = u32> {
    fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(THREADS)
}

/// How often a thread was given a processor, and for how many nanoseconds in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) times: u64,
    busy: u64,
}

pub(super) fn ran(tid: u32) -> Option<Ran> {
    let line = small(&format!("/proc/{tid}/schedstat"))?;
    let mut numbers = line.split_whitespace().map(str::parse);
    let busy = numbers.next()?.ok()?;
    let times = numbers.nth(1)?.ok()?;
    Some(Ran { times, busy })
}

/// What keeps a thread of this state from going on.
fn held(stat: &Stat) -> Option<Held> {
    match stat.state()? {
        'T' => Some(Held::Stopped),
        't' => Some(Held::Traced),
        'D' => Some(Held::Uninterruptible),
        'Z' | 'X' => Some(Held::Ended),
        _ => None,
    }
}

/// Since when threads have not run. Each processor has a clock of its own, by which the kernel notes when a thread last
/// ran on it, and the clocks may be seconds apart: so each is read on its processor.
struct Since {
    last: HashMap<u32, (u64, f64)>,
    now: HashMap<u64, f64>,
}

impl Since {
    fn of(threads: &BTreeSet<u32>) -> Since {
        let on = |tid: u32| Some((Stat::of_thread(tid)?.number(39)?, last_ran(&tid.to_string())?));
        let last =
            threads.iter().filter_map(|tid| Some((*tid, on(*tid)?))).collect::<HashMap<_, _>>();
        let processors = last.values().map(|(processor, _)| *processor).collect::<BTreeSet<_>>();
        // Only this thread moves from one processor to the next.
        let now =
            std::thread::Builder::new().name("processor clocks".to_owned()).spawn(move || {
                processors.into_iter().filter_map(|on| Some((on, clock(on)?))).collect()
            });
        let now = now.ok().and_then(|now| now.join().ok()).unwrap_or_default();
        Since { last, now }
    }

    fn seconds(&self, tid: u32, apart: Duration) -> Option<f64> {
        let (processor, then) = self.last.get(&tid)?;
        let seconds = (self.now.get(processor)? - then) / 1e3;
        // A little less than the time between the looks is the clock's own inaccuracy.
        (seconds > apart.as_secs_f64() - 0.1).then(|| seconds.max(apart.as_secs_f64()))
    }
}

/// What the clock of a processor shows now, in milliseconds.
fn clock(processor: u64) -> Option<f64> {
    let mut set = CpuSet::new();
    let processor = usize::try_from(processor).ok().filter(|at| *at < CpuSet::MAX_CPU)?;
    set.set(processor);
    sched_setaffinity(None, &set).ok()?;
    last_ran("thread-self")
}

/// What it showed when a thread last ran, in milliseconds.
fn last_ran(thread: &str) -> Option<f64> {
    let text = small(&format!("/proc/{thread}/sched"))?;
    let line = text.lines().find(|line| line.starts_with("se.exec_start"))?;
    let at = line.rsplit_once(':')?.1.trim().parse::<f64>().ok()?;
    // A thread that never ran on its processor has none.
    (at > 0.0).then_some(at)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::{Look, Moved, Refusal, Seen};

    const APART: Duration = Duration::from_millis(300);

    /// A program that says when it is ready, then is looked at and killed.
    fn looked_at(command: &str) -> Result<Look, Box<dyn std::error::Error>> {
        let mut child = Command::new("sh").args(["-c", command]).stdout(Stdio::piped()).spawn()?;
        let look = first_byte(&mut child).and_then(|()| {
            thread::sleep(Duration::from_millis(200));
            Ok(Look::at(child.id(), APART)?)
        });
        child.kill()?;
        child.wait()?;
        look
    }

    fn first_byte(child: &mut Child) -> Result<(), Box<dyn std::error::Error>> {
        child.stdout.as_mut().ok_or("no output")?.read_exact(&mut [0])?;
        Ok(())
    }

    fn thread_of<'a>(look: &'a Look, name: &str) -> Result<&'a Seen, String> {
        look.threads.iter().find(|seen| seen.name == name).ok_or_else(|| format!("no {name}"))
    }

    #[test]
    fn a_sleeper_is_still_and_its_time_is_told() -> Result<(), Box<dyn std::error::Error>> {
        let look = looked_at("echo; exec sleep 99")?;
        let [seen] = look.threads.as_slice() else { return Err("not one thread".into()) };
        assert!(seen.words().starts_with("asleep, 9"), "{}", seen.words());
        assert!(matches!(seen.moved, Moved::Still(Some(since)) if since < 2.0), "{seen:?}");
        assert_eq!((seen.kind().as_str(), seen.moved.kind()), ("asleep", "still"));
        assert_eq!(look.command, ["sleep", "99"]);
        Ok(())
    }

    #[test]
    fn one_that_computes_has_moved() -> Result<(), Box<dyn std::error::Error>> {
        let look = looked_at("echo; while :; do :; done")?;
        assert!(look.threads[0].words().starts_with("computing; ran "), "{look:?}");
        Ok(())
    }

    #[test]
    fn a_stopped_one_is_told() -> Result<(), Box<dyn std::error::Error>> {
        let look = looked_at("echo; kill -STOP $$")?;
        assert!(look.threads[0].words().contains("stopped by a signal"), "{look:?}");
        Ok(())
    }

    #[test]
    fn threads_of_one_kind_are_told_together() {
        let still = Moved::Still;
        let ran = |times, busy| Moved::Ran { times, busy };
        for (threads, words) in [
            (vec![still(Some(93.4))], "; has not moved for 93 s"),
            (vec![still(Some(93.4)), still(Some(7400.0))], "; none has moved for 93 s"),
            (vec![still(Some(93.4)), still(None)], "; none has moved between the looks"),
            (vec![ran(1, 0.0001)], "; ran once"),
            (vec![ran(3, 0.4), ran(4, 0.2)], "; ran 7 times, 0.60 s in all"),
            (vec![ran(0, 0.98)], "; went on running for 0.98 s"),
            (vec![], ""),
        ] {
            assert_eq!(super::moved(threads), words);
        }
    }

    /// Threads of this very process: one at a socket that listens, one at a connection, one that joins it, one at a channel.
    #[test]
    fn threads_are_told_with_their_sockets() -> Result<(), Box<dyn std::error::Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let mut client = TcpStream::connect(address)?;
        let own = client.local_addr()?;
        let (_keep, queue) = mpsc::channel::<()>();
        let (server, _) = listener.accept()?;
        thread::Builder::new().name("seen-accept".into()).spawn(move || listener.accept())?;
        let reader =
            thread::Builder::new().name("seen-read".into()).spawn(move || client.read(&mut [0]))?;
        thread::Builder::new().name("seen-join".into()).spawn(move || reader.join().map(drop))?;
        thread::Builder::new().name("seen-queue".into()).spawn(move || queue.recv())?;
        thread::sleep(Duration::from_millis(100));

        let id = std::process::id();
        let look = Look::at(id, APART)?;
        let words = |name| Ok::<_, String>(thread_of(&look, name)?.words());
        let before = |text: String| text.split(';').next().unwrap_or_default().to_owned();
        assert_eq!(before(words("seen-accept")?), format!("in `accept` on {address}"));
        assert_eq!(
            before(words("seen-read")?),
            format!("in `recv` from {address} (own end {own})")
        );
        assert_eq!(
            before(words("seen-queue")?),
            "waiting for another thread (futex), no time limit"
        );
        let reader = thread_of(&look, "seen-read")?.id;
        let joined = format!("joining seen-read ({reader}), no time limit");
        assert_eq!(before(words("seen-join")?), joined);
        drop(server);

        let thread = thread_of(&look, "seen-queue")?.id;
        let by_thread = Look::at(thread, Duration::from_millis(10))?;
        assert_eq!(by_thread.pid, id);
        assert_eq!(by_thread.limits.len(), 1);
        Ok(())
    }

    #[test]
    fn what_is_no_process_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(Look::at(4_000_000_000, APART), Err(Refusal::None(4_000_000_000)));
        let mut child = Command::new("true").spawn()?;
        thread::sleep(Duration::from_millis(200));
        let zombie = Look::at(child.id(), APART);
        child.wait()?;
        assert!(matches!(zombie, Err(Refusal::Zombie(..))), "{zombie:?}");
        let mut ends = Command::new("sleep").arg("0.2").spawn()?;
        let ended = Look::at(ends.id(), APART);
        ends.wait()?;
        assert_eq!(ended, Err(Refusal::Ended(ends.id())));
        Ok(())
    }
}
