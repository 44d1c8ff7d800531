//! Whether an order is on its way to the disk before its answer is on its way to the customer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::service::{Service, Setup, Under};
use super::super::stop::{Held, Stop, demand, fail};

/// What is looked at.
const CALLS: &str = "trace=?open,openat,?openat2,fsync,fdatasync,sync,syncfs,msync,?io_uring_enter,write,\
                     writev,pwrite64,pwritev,?pwritev2,sendto,sendmsg,?sendmmsg";

/// Holds it.
pub fn synced(bench: &Bench<'_>) -> Held {
    const ORDERS: usize = 10;
    /// How long the tracer may take to write down what it has seen.
    const WRITES: Duration = Duration::from_secs(2);

    can_trace()?;
    let (data, beside) = (bench.data()?, bench.data()?);
    let log = beside.path().join("calls");
    let words = ["strace", "-f", "-y", "-s", "64", "-e", CALLS, "-e", "signal=none", "-o"];
    let mut words: Vec<_> = words.map(Into::into).into();
    words.push(log.clone().into());
    words.push("--".into());
    let setup = Setup { under: Under::Command(words), ..Setup::new(data.path()) };
    let service = Service::start(bench, &setup)?;
    for number in 0..ORDERS {
        let key = bench.key(format_args!("synced-{number}"));
        let answer = service.order(&Order::new(&key));
        demand!(answer.new_number().is_some(), "An order got {answer}; it was to get 201.");
    }
    let directory = fs::canonicalize(data.path())?;
    let until = Instant::now() + WRITES;
    let mut seen = Calls::default();
    while Instant::now() < until {
        seen = Calls::read(&String::from_utf8_lossy(&fs::read(&log)?), &directory);
        if seen.answers.len() >= ORDERS {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    if seen.answers.len() < ORDERS {
        return Err(Stop::NotTried(format!(
            "of {ORDERS} answers strace showed {}",
            seen.answers.len()
        )));
    }
    let unsynced = seen.answers.iter().filter(|is_synced| !**is_synced).count();
    if unsynced == 0 {
        return Ok(());
    }
    if seen.has_other_means {
        return Err(Stop::NotTried(
            "it uses msync or io_uring, of which strace does not tell which file they sync"
                .to_owned(),
        ));
    }
    fail!(
        "Of {ORDERS} orders one by one, {unsynced} got 201 before what was written for it to a file in DATA was \
         synced (fsync, fdatasync, sync, syncfs, O_SYNC, O_DSYNC or RWF_DSYNC)."
    )
}

fn can_trace() -> Held {
    let tried = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match tried {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Stop::NotTried("strace may not trace here".to_owned())),
        Err(_) => Err(Stop::NotTried("the command `strace` is not there".to_owned())),
    }
}

/// What the tracer saw.
#[derive(Debug, Default)]
struct Calls {
    /// For each answer with 201, whether something was synced since the last one.
    answers: Vec<bool>,
    /// Whether something may have been synced by other means.
    has_other_means: bool,
}

impl Calls {
    fn read(log: &str, directory: &Path) -> Self {
        let is_in_data = |path: &str| Path::new(path).starts_with(directory);
        let mut seen = Self::default();
        let (mut is_written, mut is_synced) = (false, false);
        // What is written in memory that is mapped is seen nowhere.
        let writes = ["write(", "writev(", "pwrite64(", "pwritev(", "pwritev2("];
        let into_data = format!("<{}/", directory.display());
        let is_unseen = !log.lines().any(|line| {
            line.contains(&into_data) && writes.iter().any(|write| line.contains(write))
        });
        // Calls of other threads stand between the beginning of one and its end.
        let mut begun: BTreeMap<&str, String> = BTreeMap::new();
        let mut synchronous: BTreeSet<String> = BTreeSet::new();
        for line in log.lines() {
            let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
            let rest = rest.trim_start();
            let (call, has_returned) = if let Some(call) = rest.strip_suffix("<unfinished ...>") {
                begun.insert(thread, call.to_owned());
                (call.to_owned(), false)
            } else if rest.starts_with("<... ") {
                let end = rest.split_once("resumed>").map_or("", |(_, end)| end);
                (begun.remove(thread).unwrap_or_default() + end, true)
            } else {
                (rest.to_owned(), true)
            };
            let Some((name, arguments)) = call.split_once('(') else { continue };
            let is_new = !rest.starts_with("<... ");
            match name {
                "msync" | "io_uring_enter" => seen.has_other_means = true,
                "open" | "openat" | "openat2" if has_returned => {
                    let result = call.rsplit_once(" = ").map_or("", |(_, result)| result);
                    let is_synchronous =
                        arguments.contains("O_SYNC") || arguments.contains("O_DSYNC");
                    let path = annotated(result).filter(|path| is_synchronous && is_in_data(path));
                    synchronous.extend(path.map(str::to_owned));
                }
                "sync" if has_returned => is_synced |= is_written || is_unseen,
                "fsync" | "fdatasync" | "syncfs" if has_returned => {
                    let succeeded = call.ends_with(" = 0");
                    let file = annotated(arguments).filter(|path| is_in_data(path));
                    // That of a directory keeps names, and nothing of what is in their files.
                    let keeps =
                        name == "syncfs" || file.is_some_and(|path| !Path::new(path).is_dir());
                    is_synced |= succeeded && file.is_some() && keeps && (is_written || is_unseen);
                }
                "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "sendto" | "sendmsg"
                | "sendmmsg" => {
                    let Some(file) = annotated(arguments) else { continue };
                    let is_socket =
                        ["socket:", "TCP:", "TCPv6:"].iter().any(|kind| file.starts_with(kind));
                    if is_socket && is_new && arguments.contains(" 201 ") {
                        seen.answers.push(is_synced);
                        (is_written, is_synced) = (false, false);
                    }
                    is_written |= is_in_data(file);
                    let is_synchronous = synchronous.contains(file)
                        || is_in_data(file)
                            && ["RWF_DSYNC", "RWF_SYNC"].iter().any(|how| arguments.contains(how));
                    is_synced |= has_returned && is_synchronous;
                }
                _ => {}
            }
        }
        seen
    }
}

/// What stands behind the first descriptor: `3</data/orders>` or `5<socket:[7]>`.
fn annotated(text: &str) -> Option<&str> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let path = text[digits..].strip_prefix('<')?;
    let end = path.find(['>', '\n'])?;
    (digits > 0).then(|| path[..end].trim_end_matches(" (deleted)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(log: &str) -> Vec<bool> {
        Calls::read(log, Path::new("/data")).answers
    }

    #[test]
    fn an_answer_comes_after_a_sync_that_has_returned() {
        let log = r#"
12 fsync(3</data/orders>) = 0
12 sendto(5<socket:[7]>, "HTTP/1.1 201 Created\r\n", 22, 0, NULL, 0) = 22
12 sendto(5<socket:[7]>, "HTTP/1.1 201 Created\r\n", 22, 0, NULL, 0) = 22
12 fdatasync(3</data/orders> <unfinished ...>
13 write(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.0 201 OK"..., 22) = 22
12 <... fdatasync resumed>) = 0
13 write(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.0 201 OK"..., 22 <unfinished ...>
13 <... write resumed>) = 22
13 fsync(4</elsewhere/log>) = 0
13 fsync(4</data/log>) = -1 EIO (Input/output error)
13 write(5<socket:[7]>, "HTTP/1.0 201 OK"..., 22) = 22
"#;
        assert_eq!(answers(log), [true, false, false, true, false]);
    }

    #[test]
    fn a_sync_before_the_write_or_after_the_answer_is_none() {
        let log = r#"
12 fsync(3</data/orders>) = 0
12 write(3</data/orders>, "1 a", 3) = 3
12 write(5<socket:[7]>, "HTTP/1.0 201 OK"..., 22) = 22
12 fsync(3</data/orders>) = 0
12 write(3</data/orders>, "2 b", 3) = 3
12 sync() = 0
12 write(5<socket:[7]>, "HTTP/1.0 201 OK"..., 22) = 22
12 pwritev2(3</data/orders>, [{iov_base="3 c", iov_len=3}], 1, -1, RWF_DSYNC) = 3
12 write(5<socket:[7]>, "HTTP/1.0 201 OK"..., 22) = 22
"#;
        assert_eq!(answers(log), [false, true, true]);
    }

    #[test]
    fn a_file_that_syncs_each_write_needs_no_more() {
        let log = r#"
12 openat(AT_FDCWD</>, "/data/log", O_WRONLY|O_CREAT|O_DSYNC|O_CLOEXEC, 0666) = 3</data/log>
12 write(3</data/log>, "1 a 201 x\n", 10) = 10
12 writev(5<socket:[7]>, [{iov_base="HTTP/1.1 201 Created", iov_len=20}], 1) = 20
12 writev(5<socket:[7]>, [{iov_base="HTTP/1.1 201 Created", iov_len=20}], 1) = 20
"#;
        assert_eq!(answers(log), [true, false]);
    }
}
