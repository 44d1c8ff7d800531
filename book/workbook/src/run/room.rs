//! How many programs this machine has room for at the same time.
//!
//! Where it has less than the self-check would take, programs and the check itself fail to start a
//! thread or to open a file, which tells nothing of them. So less is started at once, or nothing.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit, getuid};

use super::set_limits;

/// How many programs to have under way at most: with 192 of them the self-check took 23 s where it took 17 with
/// 300, and with 400 it was no faster.
pub const AT_ONCE: usize = 320;

/// How many programs may be under way, and why no more.
#[derive(Debug)]
pub struct Room {
    /// At least 1.
    pub programs: usize,
    /// What there is too little of for more, in words.
    pub because: String,
}

/// Something that there is a limit of.
struct Supply {
    what: &'static str,
    /// How much of it there still is, and who says so.
    free: u64,
    limit: String,
    /// What the check takes besides the programs: its builds, its guardian.
    beside: u64,
    /// What one program takes in the mean, with the thread of the check that watches it. Measured on
    /// all promises; it must do for many programs at once, and what is beside for few.
    each: u64,
}

const MIB: u64 = 1 << 20;

/// Reads the limits on what this process and those that it starts may have.
///
/// # Errors
///
/// In words, what there is too little of for a single program.
pub fn room() -> Result<Room, String> {
    set_limits();
    let rooms = supplies().into_iter().map(Supply::room).collect::<Result<Vec<_>, _>>()?;
    let smallest = rooms.into_iter().min_by_key(|room| room.programs);
    Ok(smallest.unwrap_or_else(|| Room { programs: usize::MAX, because: String::new() }))
}

impl Supply {
    fn room(self) -> Result<Room, String> {
        let Self { what, free, limit, beside, each } = self;
        let in_words = |amount: u64| match what {
            "memory" | "address space" => format!("{} MB of {what}", amount / MIB),
            _ => format!("{amount} {what}"),
        };
        let programs = free.saturating_sub(beside) / each;
        if programs == 0 {
            let (needed, free) = (in_words(beside + each), in_words(free));
            return Err(format!("the self-check needs {needed}; {limit} leaves {free}"));
        }
        let programs = usize::try_from(programs).unwrap_or(usize::MAX);
        Ok(Room { programs, because: format!("{limit} leaves {}", in_words(free)) })
    }
}

/// Of what there is a limit.
fn supplies() -> Vec<Supply> {
    let mut supplies = Vec::new();
    let mut tasks = |free: u64, limit: String| {
        let what = "processes and threads";
        supplies.push(Supply { what, free, limit, beside: 24, each: 4 });
    };
    if let Some(maximum) = getrlimit(Resource::Nproc).current {
        tasks(maximum.saturating_sub(tasks_of_this_user()), "the limit of `ulimit -u`".to_owned());
    }
    for group in groups("pids") {
        let number = |name: &str| number(&group.join(name));
        if let (Some(maximum), Some(used)) = (number("pids.max"), number("pids.current")) {
            tasks(maximum.saturating_sub(used), group.join("pids.max").display().to_string());
        }
    }
    if let Some(maximum) = getrlimit(Resource::Nofile).current {
        let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
        let (what, limit) = ("open files", "the limit of `ulimit -n`".to_owned());
        let free = maximum.saturating_sub(open);
        supplies.push(Supply { what, free, limit, beside: 24, each: 4 });
    }
    let mut memory = |free: u64, limit: String| {
        let (what, beside, each) = ("memory", 128 * MIB, 6 * MIB);
        supplies.push(Supply { what, free, limit, beside, each });
    };
    if let Some(free) = value(Path::new("/proc/meminfo"), "MemAvailable:") {
        // In KiB.
        memory(free * 1024, "this machine".to_owned());
    }
    for group in groups("memory") {
        let number = |name: &str| number(&group.join(name));
        let maximum = number("memory.max").or_else(|| number("memory.limit_in_bytes"));
        let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"));
        if let (Some(maximum), Some(used)) = (maximum, used) {
            // What it holds of files it gives back.
            let files = value(&group.join("memory.stat"), "inactive_file").unwrap_or_default();
            let free = maximum.saturating_sub(used.saturating_sub(files));
            memory(free, group.display().to_string());
        }
    }
    if let Some(maximum) = getrlimit(Resource::As).current {
        let (what, limit) = ("address space", "the limit of `ulimit -v`".to_owned());
        // A thread has a stack, and the allocator reserves 64 MiB for what it allocates.
        let (beside, each) = (256 * MIB, 72 * MIB);
        supplies.push(Supply { what, free: maximum, limit, beside, each });
    }
    supplies
}

/// The processes and threads of this user, which count alike.
fn tasks_of_this_user() -> u64 {
    let user = format!("{}", getuid().as_raw());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let status = entries.filter_map(|entry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        fs::read_to_string(entry.path().join("status")).ok()
    });
    let own = status.filter(|status| {
        let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        users.and_then(|users| users.split_whitespace().next()) == Some(&user)
    });
    let threads = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("Threads:").map(str::trim));
        line.and_then(|count| count.parse::<u64>().ok()).unwrap_or(1)
    };
    own.map(threads).sum()
}

/// The control groups that limit this process, from its own to the outermost, where this controller is.
fn groups(controller: &str) -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut groups = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let mount = match controllers {
            "" => PathBuf::from("/sys/fs/cgroup"),
            names if names.split(',').any(|name| name == controller) => {
                Path::new("/sys/fs/cgroup").join(controller)
            }
            _ => continue,
        };
        // In a container the path may be the one that it has outside.
        let below = Path::new(path.trim_start_matches('/'));
        groups.extend(below.ancestors().map(|below| mount.join(below)));
    }
    groups
}

/// The number that a file holds, if there is a limit at all.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number after a word at the beginning of a line.
fn value(path: &Path, word: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut fields| (fields.next()? == word).then(|| fields.next()?.parse().ok())?)
}
