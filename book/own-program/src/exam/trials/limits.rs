//! Too little of something for a while: descriptors, room on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::super::bench::Bench;
use super::super::client::{Answer, Order};
use super::super::listener;
use super::super::service::{Service, Setup, Under};
use super::super::stop::{Held, Stop, demand, fail};
use super::super::words;
use super::basics::LONGEST_TEXT;
use super::clients::connected;
use super::killed::are_there;

/// How often it is looked whether a service is well again.
const LOOKS: Duration = Duration::from_millis(100);

/// A soft limit of a process that was changed; with the value it is as before.
struct Lowered {
    process: Pid,
    resource: Resource,
    before: Rlimit,
}

impl Lowered {
    fn to(pid: u32, resource: Resource, limit: u64) -> Held<Self> {
        let process = Pid::from_raw(pid.cast_signed())
            .ok_or_else(|| Stop::CannotHold("a process has no number".to_owned()))?;
        let refused = |error| {
            Stop::NotTried(format!("the limits of a process cannot be changed here: {error}"))
        };
        // What this process may have is not what that one may.
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).map_err(refused_io)?;
        let maximum = hard_limit(&limits, resource);
        let now = Rlimit { current: Some(maximum.map_or(limit, |most| limit.min(most))), maximum };
        let before = prlimit(Some(process), resource, now).map_err(refused)?;
        Ok(Self { process, resource, before })
    }
}

fn refused_io(error: std::io::Error) -> Stop {
    Stop::NotTried(format!("the limits of a process cannot be read here: {error}"))
}

impl Drop for Lowered {
    fn drop(&mut self) {
        let before = Rlimit { current: self.before.current, maximum: self.before.maximum };
        // It may be gone.
        let _ = prlimit(Some(self.process), self.resource, before);
    }
}

/// The hard limit in a `limits` file; none if it is unlimited.
fn hard_limit(limits: &str, resource: Resource) -> Option<u64> {
    let name = if resource == Resource::Nofile { "Max open files" } else { "Max file size" };
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// More connections than it has descriptors for.
pub fn no_descriptors(bench: &Bench<'_>) -> Held {
    /// So many more it may open.
    const ROOM: u64 = 8;
    const CONNECTIONS: usize = 32;
    const LASTS: Duration = Duration::from_secs(1);
    const WELL: Duration = Duration::from_secs(10);

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let listeners = listener::owners(service.port(), &service.known().alive());
    if listeners.is_empty() {
        return Err(Stop::NotTried("the process that listens was not found".to_owned()));
    }
    let mut lowered = Vec::new();
    for pid in listeners {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).map_err(refused_io)?.count() as u64;
        lowered.push(Lowered::to(pid, Resource::Nofile, open + ROOM)?);
    }
    let start = Instant::now();
    // Where its queue is full, each of the others would wait for a while.
    let connections: Vec<_> = (0..CONNECTIONS)
        .take_while(|_| start.elapsed() < LASTS)
        .map(|_| connected(service.port(), ""))
        .collect();
    thread::sleep(LASTS.saturating_sub(start.elapsed()));
    drop(connections);
    drop(lowered);
    let key = bench.key("after");
    let again = well_within(&service, &key, WELL);
    again.map_err(|why| {
        Stop::Failed(format!(
            "For a second it had no descriptors left for new connections. {} after that {why}.",
            words::time(WELL)
        ))
    })
}

/// Waits until it takes orders; or what it says in the end.
fn well_within(service: &Service, key: &str, limit: Duration) -> Result<(), String> {
    let until = Instant::now() + limit;
    loop {
        let health = service.health();
        let order = service.order(&Order::new(key).within(Duration::from_secs(2)));
        if health.status() == Some(200) && order.number().is_some() {
            return Ok(());
        }
        if let Ok(Some(ended)) = service.ended_within(Duration::ZERO) {
            return Err(format!("it is not there: it ended {}", words::exit(ended.exit)));
        }
        if Instant::now() > until {
            return Err(format!("GET /health got {health}, and an order {order}"));
        }
        thread::sleep(LOOKS);
    }
}

/// A disk that is full, as a limit on the size of files makes it.
pub fn full_disk(bench: &Bench<'_>) -> Held {
    /// What still fits.
    const ROOM: u64 = 30;
    /// Of a service that stores each order somewhere else, no end is met.
    const MOST: usize = 300;
    const MORE: usize = 5;
    const WELL: Duration = Duration::from_secs(5);
    /// Else the signal of that limit ends a process that did not ask for it.
    const IGNORED: [&str; 4] = ["/bin/sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

    let data = bench.data()?;
    let under = Under::Command(IGNORED.map(Into::into).into());
    let service = Service::start(bench, &Setup { under, ..Setup::new(data.path()) })?;
    let text = vec![b'x'; LONGEST_TEXT];
    let mut acknowledged = BTreeMap::new();
    let mut post = |name: &str, text: &[u8]| -> Held<Answer> {
        let key = bench.key(name);
        let answer = service.order(&Order { text, ..Order::new(&key) });
        if let Some(number) = answer.number() {
            acknowledged.insert(key, number);
        } else if answer.status().is_none_or(|status| status < 500) {
            let how = service.and_ended(Duration::from_millis(100))?;
            fail!(
                "With no room left for its data an order got {answer}{how}; it was to get a 5xx."
            );
        }
        Ok(answer)
    };
    for number in 0..3 {
        let answer = post(&format!("before-{number}"), b"small")?;
        demand!(answer.number().is_some(), "An order got {answer}; it was to get 201.");
    }
    let largest = largest_in(data.path());
    let mut lowered = Vec::new();
    for pid in service.known().alive() {
        lowered.push(Lowered::to(pid, Resource::Fsize, largest + ROOM)?);
    }
    let mut is_refused = false;
    for number in 0..MOST {
        if post(&format!("full-{number}"), &text)?.number().is_none() {
            is_refused = true;
            break;
        }
    }
    if !is_refused {
        return Err(Stop::NotTried(format!(
            "{MOST} orders of 16 KiB found room although no file could grow by more than {ROOM} bytes"
        )));
    }
    for number in 0..MORE {
        post(&format!("more-{number}"), &text)?;
    }
    drop(lowered);
    let after = bench.key("after");
    well_within(&service, &after, WELL).map_err(|why| {
        Stop::Failed(format!(
            "The disk was full for a while. {} after there was room again, {why}.",
            words::time(WELL)
        ))
    })?;
    // What a failed write has left may swallow the next order, and the one after that is whole.
    // Nor is a key that was refused with a 5xx used up.
    let again = (0..MORE).map(|number| bench.key(format_args!("more-{number}")));
    for key in [after].into_iter().chain(again) {
        let answer = service.order(&Order::new(&key));
        let Some(number) = answer.number() else {
            fail!(
                "The disk was full for a while. With room again an order got {answer}; it was to get a number."
            )
        };
        acknowledged.insert(key, number);
    }
    let stored = service.orders()?;
    for (key, number) in &acknowledged {
        demand!(
            stored.contains(&(*number, key.clone())),
            "The disk was full for a while. The order {key} was acknowledged with the number {number}, and is \
             not stored."
        );
    }
    service.kill();
    drop(service);
    let end = "a full disk and SIGKILL";
    let service = Service::restart(bench, &Setup::new(data.path()), end)?;
    are_there(&service, &acknowledged, end)
}

/// The size of the largest file in a directory and those below it.
fn largest_in(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| match entry.file_type().ok()? {
        kind if kind.is_dir() => Some(largest_in(&entry.path())),
        kind if kind.is_file() => Some(entry.metadata().ok()?.len()),
        _ => None,
    });
    sizes.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_limit_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max file size             unlimited            unlimited            bytes     \n\
                      Max open files            1024                 4096                 files     \n";
        assert_eq!(hard_limit(limits, Resource::Nofile), Some(4096));
        assert_eq!(hard_limit(limits, Resource::Fsize), None);
    }
}
