//! A file whose last write was torn, by cutting it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::service::{Service, Setup};
use super::super::stop::{self, Held, Stop, demand, fail};
use super::killed::are_there;

/// What SQLite keeps for the processes that have its files open, and makes anew.
const SHARED_MEMORY: &str = "-shm";

/// Files by name, below a directory.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Holds it.
pub fn torn_tail(bench: &Bench<'_>) -> Held {
    const ORDERS: usize = 10;
    const MOST_CUTS: usize = 16;

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let mut acknowledged = BTreeMap::new();
    for number in 0..ORDERS {
        let key = bench.key(format_args!("whole-{number}"));
        let answer = service.order(&Order::new(&key));
        let Some(number) = answer.new_number() else {
            fail!("An order got {answer}; it was to get 201.")
        };
        acknowledged.insert(key, number);
    }
    let before = at_rest(data.path())?;
    let torn = bench.key("torn");
    let answer = service.order(&Order::new(&torn));
    demand!(answer.new_number().is_some(), "An order got {answer}; it was to get 201.");
    service.kill();
    drop(service);
    let after = files(data.path())?;
    let (path, length) = grown(&before, &after)?;
    let whole = &after[&path];
    let mut lengths: Vec<_> = (length + 1..whole.len()).collect();
    bench.dice().shuffle(&mut lengths);
    // One letter of it, and all but its end, are never left out.
    lengths.sort_by_key(|cut| ![length + 1, whole.len() - 1].contains(cut));
    lengths.truncate(MOST_CUTS);
    let lengths = Mutex::new(lengths);
    let next = || lengths.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let cuts = |bench: &Bench<'_>| -> Held {
        while let Some(length) = next() {
            let cut = bench.data()?;
            for (name, bytes) in &after {
                let bytes = if *name == path { &bytes[..length] } else { bytes };
                let to = cut.path().join(name);
                fs::create_dir_all(to.parent().unwrap_or(cut.path()))?;
                fs::write(to, bytes)?;
            }
            recovers(bench, cut.path(), &acknowledged, &torn).map_err(|stop| {
                stop.retold(|why| format!(
                    "Started with {} cut at byte {length} of {}, as a crash may leave it: {why}",
                    path.display(),
                    whole.len()
                ))
            })?;
        }
        Ok(())
    };
    // Each cut has data of its own, and its service mostly starts.
    let benches = [bench.beside(), bench.beside()];
    thread::scope(|scope| {
        let begun = benches.each_ref().map(|bench| {
            let cuts = &cuts;
            thread::Builder::new().name("cuts".to_owned()).spawn_scoped(scope, move || cuts(bench))
        });
        for (begun, beside) in begun.into_iter().zip(&benches) {
            let held = begun?.join().unwrap_or_else(|_| Err(stop::broken()));
            bench.adopt(beside);
            held?;
        }
        Ok(())
    })
}

/// Whether a service with this data has what was whole, and keeps what comes then.
fn recovers(
    bench: &Bench<'_>,
    data: &Path,
    acknowledged: &BTreeMap<String, u64>,
    torn: &str,
) -> Held {
    let mut acknowledged = acknowledged.clone();
    let service = Service::start(bench, &Setup::new(data))?;
    are_there(&service, &acknowledged, "a cut")?;
    let new = bench.key("new");
    let answer = service.order(&Order::new(&new));
    let Some(number) = answer.new_number() else {
        fail!("A new order got {answer}; it was to get 201.")
    };
    acknowledged.insert(new, number);
    let answer = service.order(&Order::new(torn));
    let Some(number) = answer.number() else {
        fail!(
            "The order that was torn got {answer} when it was posted again; it was to get 200 or 201."
        )
    };
    acknowledged.insert(torn.to_owned(), number);
    service.kill();
    drop(service);
    let service = Service::restart(bench, &Setup::new(data), "SIGKILL")?;
    are_there(&service, &acknowledged, "SIGKILL")
}

/// The files once none changes any more.
fn at_rest(directory: &Path) -> Held<Files> {
    const RESTS: Duration = Duration::from_millis(200);
    const PATIENCE: Duration = Duration::from_secs(5);

    let until = Instant::now() + PATIENCE;
    let mut last = files(directory)?;
    loop {
        thread::sleep(RESTS);
        let now = files(directory)?;
        if now == last {
            return Ok(now);
        }
        if Instant::now() > until {
            return Err(Stop::NotTried(
                "its files change although nobody orders anything".to_owned(),
            ));
        }
        last = now;
    }
}

fn files(directory: &Path) -> io::Result<Files> {
    /// More is not kept in memory.
    const MOST: u64 = 256 << 20;

    let mut files = Files::new();
    let mut size = 0;
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry?;
        let is_kept = entry.file_type().is_file()
            && !entry.file_name().to_string_lossy().ends_with(SHARED_MEMORY);
        if !is_kept {
            continue;
        }
        size += entry.metadata()?.len();
        if size > MOST {
            return Err(io::Error::other(format!("DATA holds more than {} MB", MOST >> 20)));
        }
        let name = entry.path().strip_prefix(directory).map_err(io::Error::other)?;
        files.insert(name.to_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}

/// The one file that has grown, and how long it was.
fn grown(before: &Files, after: &Files) -> Held<(PathBuf, usize)> {
    let other = |why: &str| Err(Stop::NotTried(format!("{why}: there is no end of a file to cut")));
    if !before.keys().eq(after.keys()) {
        return other("an order makes or removes a file");
    }
    let mut changed = before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes));
    let (Some((path, old)), None) = (changed.next(), changed.next()) else {
        return other("an order does not change just one file");
    };
    let new = &after[path];
    if !new.starts_with(old) {
        return other("an order does not only add to a file");
    }
    if new.len() - old.len() < 2 {
        return other("an order adds less than two bytes");
    }
    Ok((path.clone(), old.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(name, text)| (name.into(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn one_file_that_grows_at_its_end_can_be_cut() {
        let before = of(&[("a", "one\n"), ("b", "")]);
        let cut = |after: &[(&str, &str)]| grown(&before, &of(after)).ok();
        assert_eq!(cut(&[("a", "one\ntwo\n"), ("b", "")]), Some(("a".into(), 4)));
        assert_eq!(cut(&[("a", "one\n"), ("b", "")]), None);
        assert_eq!(cut(&[("a", "eno\ntwo\n"), ("b", "")]), None);
        assert_eq!(cut(&[("a", "one\ntwo\n"), ("b", "x")]), None);
        assert_eq!(cut(&[("a", "one\ntwo\n"), ("b", ""), ("c", "")]), None);
    }
}
