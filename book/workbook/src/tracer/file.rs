//! What a program left: files that it had open or that have changed, and processes that live on.
//!
//! All of it is bounded: a directory may be large, and a reader waits for the report.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::proc::{Stat, name_of, small};

use super::{Child, File, Limit, Tail};

/// So many descriptors of a process are looked at.
const DESCRIPTORS: usize = 4096;
/// So many files are told of.
const FILES: usize = 100;
/// For so long, and in so many entries, changed files are looked for.
const WALK: Duration = Duration::from_millis(50);
const ENTRIES: usize = 20_000;
/// So many processes that live on are told of.
const CHILDREN: usize = 100;

/// What there was before a program ran: what it was given is not what it left.
#[derive(Clone, Debug)]
pub struct Before {
    since: (i64, i64),
    given: HashSet<(u64, u64)>,
}

/// The files that a process had open for writing.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    files: Vec<Open>,
    /// Whether there were more descriptors than are looked at.
    more: bool,
}

#[derive(Clone, Debug)]
struct Open {
    path: PathBuf,
    inode: (u64, u64),
    size: u64,
}

impl Before {
    /// Now, as the process `pid` is about to start its program: the time, and the files that it has been given to
    /// write to.
    pub fn of(pid: u32) -> Before {
        // Files are stamped by this clock, which lags behind the fine one by up to a tick.
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let given = descriptors(pid).filter_map(|fd| writes(pid, fd)).map(|open| open.inode);
        Before { since: (now.tv_sec, now.tv_nsec), given: given.collect() }
    }

    /// The files that the thread `tid`, the last of its process, has open for writing while it ends. Nothing of them is
    /// read yet.
    pub fn open(&self, tid: u32) -> Opened {
        let mut opened = Opened::default();
        let mut seen = HashSet::new();
        for (count, fd) in descriptors(tid).enumerate() {
            if count == DESCRIPTORS {
                opened.more = true;
                break;
            }
            if let Some(open) = writes(tid, fd)
                && !self.given.contains(&open.inode)
                && seen.insert(open.inode)
            {
                opened.files.push(open);
            }
        }
        opened
    }

    /// After the end: these files and those below `dir`, on the same file system, that have changed meanwhile.
    pub fn left(&self, dir: &Path, opened: Opened) -> (Vec<File>, Vec<Limit>) {
        let mut limits = Vec::new();
        if opened.more {
            limits.push(Limit(format!(
                "It had more than {DESCRIPTORS} descriptors; the others were not looked at."
            )));
        }
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for open in opened.files {
            seen.insert(open.inode);
            files.extend(self.left_open(open, dir));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut walk = Walk::of(dir);
        let mut changed = walk
            .by_ref()
            .filter(|(_, metadata)| {
                let inode = inode(metadata);
                self.changed(metadata) && !self.given.contains(&inode) && seen.insert(inode)
            })
            .map(|(path, metadata)| File {
                tail: tail(&path),
                path: below(path, dir),
                size: metadata.len(),
                open: false,
                changed: true,
            })
            .take(FILES + 1)
            .collect::<Vec<_>>();
        changed.sort_by(|a, b| a.path.cmp(&b.path));
        files.append(&mut changed);
        if files.len() > FILES {
            files.truncate(FILES);
            limits.push(Limit(format!("It left more files; {FILES} are told of.")));
        } else if walk.cut {
            limits.push(Limit(format!(
                "The directory holds many files; {} were looked at for changes.",
                walk.seen
            )));
        }
        (files, limits)
    }

    fn left_open(&self, open: Open, dir: &Path) -> Option<File> {
        // Another mount namespace has other paths: then what was seen at the end has to do.
        let Ok(metadata) = fs::symlink_metadata(&open.path) else {
            return Some(File {
                path: below(open.path, dir),
                size: open.size,
                open: true,
                changed: false,
                tail: Tail::Unknown,
            });
        };
        (inode(&metadata) == open.inode).then(|| File {
            tail: tail(&open.path),
            path: below(open.path, dir),
            size: metadata.len(),
            open: true,
            changed: self.changed(&metadata),
        })
    }

    fn changed(&self, metadata: &Metadata) -> bool {
        (metadata.mtime(), metadata.mtime_nsec()) >= self.since
    }
}

/// The numbers of a thread's descriptors.
fn descriptors(tid: u32) -> impl Iterator<Item = u32> {
    fs::read_dir(format!("/proc/{tid}/fd"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The file that a descriptor writes to, if it is one that stays.
fn writes(tid: u32, fd: u32) -> Option<Open> {
    let link = format!("/proc/{tid}/fd/{fd}");
    let path = fs::read_link(&link).ok()?;
    if !path.is_absolute() || kernels(&path) {
        return None;
    }
    let info = small(&format!("/proc/{tid}/fdinfo/{fd}"))?;
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
    if flags & libc::O_ACCMODE == libc::O_RDONLY || flags & libc::O_PATH != 0 {
        return None;
    }
    let metadata = fs::metadata(&link).ok()?;
    (metadata.is_file() && metadata.nlink() > 0).then(|| Open {
        path,
        inode: inode(&metadata),
        size: metadata.len(),
    })
}

/// Whether a path is in one of the kernel's own trees, which hold no files of a program.
fn kernels(path: &Path) -> bool {
    ["/dev", "/proc", "/sys"].iter().any(|tree| path.starts_with(tree))
}

fn inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn below(path: PathBuf, dir: &Path) -> PathBuf {
    path.strip_prefix(dir).map(Path::to_owned).unwrap_or(path)
}

/// The files below a directory, the near ones first.
struct Walk {
    from: Instant,
    device: Option<u64>,
    dirs: VecDeque<PathBuf>,
    files: Vec<(PathBuf, Metadata)>,
    seen: usize,
    /// Whether it has stopped before its end.
    cut: bool,
}

impl Walk {
    fn of(dir: &Path) -> Walk {
        let device = fs::metadata(dir).ok().map(|metadata| metadata.dev());
        Walk {
            from: Instant::now(),
            device,
            dirs: VecDeque::from([dir.to_owned()]),
            files: Vec::new(),
            seen: 0,
            cut: kernels(dir),
        }
    }

    /// Reads the entries of one directory.
    fn enter(&mut self, dir: &Path) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            self.seen += 1;
            self.cut = self.seen >= ENTRIES || self.from.elapsed() >= WALK;
            if self.cut {
                return;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_file() {
                self.files.push((entry.path(), metadata));
            } else if metadata.is_dir() && Some(metadata.dev()) == self.device {
                self.dirs.push_back(entry.path());
            }
        }
    }
}

impl Iterator for Walk {
    type Item = (PathBuf, Metadata);

    fn next(&mut self) -> Option<Self::Item> {
        while self.files.is_empty() && !self.cut {
            let dir = self.dirs.pop_front()?;
            self.enter(&dir);
        }
        self.files.pop()
    }
}

/// How a file ends. No more than its first 4 KiB and its last byte are read, and nothing that could block.
fn tail(path: &Path) -> Tail {
    /// Text has no zero byte; what is no text shows one early.
    const EARLY: usize = 4096;
    let read = || {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY)
            .open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Tail::Unknown);
        }
        let mut head = [0; EARLY];
        let read = file.read_at(&mut head, 0)?;
        if read == 0 {
            return Ok(Tail::Empty);
        }
        if head[..read].contains(&0) {
            return Ok(Tail::Binary);
        }
        let mut last = [0];
        file.read_exact_at(&mut last, metadata.len().max(1) - 1)?;
        Ok::<_, std::io::Error>(if last == *b"\n" { Tail::Whole } else { Tail::Torn })
    };
    read().unwrap_or(Tail::Unknown)
}

/// The processes below the process `of` that are alive, without those of `except` and what is below them.
pub fn children(of: u32, except: &[u32]) -> Vec<Child> {
    let mut found = Vec::new();
    let mut parents = VecDeque::from([of]);
    while let Some(parent) = parents.pop_front() {
        for pid in children_of(parent) {
            if except.contains(&pid) {
                continue;
            }
            if let Some(child) = child(pid) {
                found.push(child);
                parents.push_back(pid);
            }
            if found.len() == CHILDREN {
                return found;
            }
        }
    }
    found
}

/// The processes below this one that live on: one that is just ending is given a moment.
pub(super) fn left_behind() -> Vec<Child> {
    const MOMENT: Duration = Duration::from_millis(100);
    const AGAIN: Duration = Duration::from_millis(5);
    let until = Instant::now() + MOMENT;
    loop {
        let found = children(std::process::id(), &[]);
        if found.is_empty() || Instant::now() >= until {
            return found;
        }
        std::thread::sleep(AGAIN);
    }
}

/// The children of all threads of a process.
fn children_of(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// What is told of a process, if it is alive.
pub fn child(pid: u32) -> Option<Child> {
    /// Of the flags in a process's `stat`: no `execve` since its fork.
    const FORKED: u64 = 0x40;
    let stat = Stat::of_process(pid)?;
    if matches!(stat.state()?, 'Z' | 'X') {
        return None;
    }
    let forked = stat.number(9).is_some_and(|flags| flags & FORKED != 0);
    let name = name_of(pid)?.trim_end().to_owned();
    let command = match command(pid).join(" ") {
        nothing if nothing.is_empty() => format!("[{name}]"),
        command => command,
    };
    Some(Child { pid, name, command, forked })
}

/// The words of a process's command, of which 4 KiB are read.
pub(super) fn command(pid: u32) -> Vec<String> {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(format!("/proc/{pid}/cmdline")) {
        // A process that has just ended has none.
        let _ = file.take(4096).read_to_end(&mut bytes);
    }
    // A process that writes its title over its arguments leaves zeros behind it.
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    match &bytes[..end] {
        [] => Vec::new(),
        text => text
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use super::{Before, Tail, children, tail};

    #[test]
    fn a_file_ends_whole_or_not() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("file");
        for (text, expected) in [
            (&b""[..], Tail::Empty),
            (b"one\n", Tail::Whole),
            (b"one\ntw", Tail::Torn),
            (b"SQLite format 3\0\n", Tail::Binary),
        ] {
            fs::write(&path, text)?;
            assert_eq!(tail(&path), expected);
        }
        let mut long = vec![b'a'; 10_000];
        long.push(b'\n');
        fs::write(&path, long)?;
        assert_eq!(tail(&path), Tail::Whole);
        assert_eq!(tail(&dir.path().join("none")), Tail::Unknown);
        Ok(())
    }

    /// This process stands for the one that is traced.
    #[test]
    fn files_left_are_those_open_for_writing_and_those_changed() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let at = |name: &str| dir.path().join(name);
        for old in ["old", "read", "kept", "given"] {
            fs::write(at(old), "old\n")?;
        }
        let given = OpenOptions::new().append(true).open(at("given"))?;
        std::thread::sleep(Duration::from_millis(30));
        let before = Before::of(std::process::id());

        let kept = OpenOptions::new().append(true).open(at("kept"))?;
        let read = File::open(at("read"))?;
        let gone = File::create(at("gone"))?;
        fs::remove_file(at("gone"))?;
        let journal = File::create(at("journal.txt"))?;
        let device = OpenOptions::new().write(true).open("/dev/null")?;
        fs::create_dir(at("logs"))?;
        fs::write(at("logs/closed.log"), "a line\nhalf")?;
        fs::write(at("given"), "changed by the program, as it was told to\n")?;
        let _socket = UnixListener::bind(at("socket"))?;
        let opened = before.open(std::process::id());
        drop((given, kept, read, gone, journal, device));

        let (files, limits) = before.left(dir.path(), opened);
        // Other tests run in the same process and may have files of their own open.
        let files = files
            .iter()
            .filter(|file| file.path.is_relative())
            .map(|file| {
                (file.path.to_str().unwrap_or_default(), file.open, file.changed, file.tail)
            })
            .collect::<Vec<_>>();
        assert_eq!(
            files,
            [
                ("journal.txt", true, true, Tail::Empty),
                ("kept", true, false, Tail::Whole),
                ("logs/closed.log", false, true, Tail::Torn),
            ]
        );
        assert_eq!(limits, []);
        Ok(())
    }

    #[test]
    fn many_files_are_cut_and_it_is_said() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let before = Before::of(std::process::id());
        for number in 0..150 {
            fs::write(dir.path().join(number.to_string()), "")?;
        }
        let (files, limits) = before.left(dir.path(), super::Opened::default());
        // A loaded machine may stop earlier, for the time, and says so too.
        assert!(files.len() <= 100, "{} files", files.len());
        assert_eq!(limits.len(), 1);
        Ok(())
    }

    #[test]
    fn a_process_below_is_found_by_its_command() -> std::io::Result<()> {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 5 & wait"]).spawn()?;
        let found = loop {
            let found = children(shell.id(), &[]);
            if found.iter().any(|child| child.command == "sleep 5") {
                break found;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(found[0].name, "sleep");
        assert_eq!(children(shell.id(), &[found[0].pid]), []);
        for pid in [found[0].pid, shell.id()] {
            let pid = nix::unistd::Pid::from_raw(pid as i32);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL)?;
        }
        shell.wait()?;
        Ok(())
    }
}
