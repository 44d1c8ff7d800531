//! The lesson durable-handoff under SIGKILL: producer, relay and Redis server are killed at many
//! moments and started again, and every acknowledged payment takes effect once.
//!
//! Takes some minutes. Needs redis-server, strace and unshare for some tests, which are listed as
//! ignored without them. `HANDOFF_SEED` repeats a run's moments.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use named::self_check::guarded;
use named::tools::{as_the_chapter_tells, ended_within, needs, one_at_a_time, seeded};
use tempfile::TempDir;
use workbook::programs;
use workbook::promise::Profile;
use workbook::promise::judge::texts;
use workbook::workbook::Workbook;

const LESSON: &str = "durable-handoff";

/// How many kills a series of tests makes, and how many of them befall the same databases.
const KILLS: usize = 200;
const KILLS_IN_A_ROW: usize = 10;

/// When a kill comes, in microseconds after what was killed before has been started again.
const MOMENTS: Range<u64> = 2_000..100_000;

/// How long a program may take that is to end by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The account of this payment does not exist.
const MISSPELT: u32 = 2;

const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let programs = programs::build(&Workbook::home(), [LESSON], Profile::Dev);
    programs.expect("cargo").remove(LESSON).expect("the lesson compiles")
});

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("sqlite::killed", || killed("sqlite", None)),
        Trial::ignorable_test(
            "redis::killed",
            needs("redis-server", || killed("redis", Some(&DURABLE))),
        ),
        Trial::ignorable_test(
            "redis::defaults",
            needs("redis-server", || keeps("redis-defaults", "redis, its defaults", &[])),
        ),
        Trial::ignorable_test(
            "redis::append-only",
            needs("redis-server", || {
                keeps("redis-append-only", "redis, appendonly", &["--appendonly", "yes"])
            }),
        ),
        Trial::ignorable_test("sqlite::synced", needs("strace", each_acknowledgement_is_synced)),
        Trial::test("sqlite::file-too-large", file_too_large),
        Trial::ignorable_test("sqlite::full-disk", full_disk),
    ];
    one_at_a_time(trials, || {
        LazyLock::force(&PROGRAM);
    })
}

/// Kills at seeded moments, looks at what each kill left, and in the end at what took effect.
fn killed(name: &str, server: Option<&[&str]>) -> Result<(), Failed> {
    let mut dice = seeded("HANDOFF_SEED");
    let mut sum = Figures::default();
    while sum.kills < KILLS {
        let mut shop = Shop::open(server)?;
        for _ in 0..KILLS_IN_A_ROW {
            let moment = Duration::from_micros(dice.u64(MOMENTS));
            let victims = if server.is_some() { 3 } else { 2 };
            let victim = [Victim::Producer, Victim::Relay, Victim::Server][dice.usize(..victims)];
            shop.run_for(moment)?;
            if sum.kills < KILLS && shop.kill(victim)? {
                sum.kills += 1;
                shop.note_what_is_left(victim, &mut sum)?;
            }
        }
        shop.finish(&mut sum)?;
    }
    as_the_chapter_tells(
        LESSON,
        &format!("killed-{name}"),
        &[
            format!("{name}: {} kills", sum.kills),
            format!("{name}: {} acknowledged", sum.acknowledged),
            format!("{name}: {} applied", sum.applied),
            format!("{name}: {} dead letters", sum.dead),
            format!("{name}: {} lost", sum.lost),
            format!("{name}: {} doubled", sum.doubled),
            format!("{name}: {} kills found one acknowledged and not applied", sum.waiting),
            format!("{name}: {} kills found one applied and still waiting", sum.not_struck_out),
            format!("{name}: {} kills found one kept and not acknowledged", sum.not_acknowledged),
        ],
    )
}

#[derive(Default)]
struct Figures {
    kills: usize,
    acknowledged: usize,
    applied: usize,
    dead: usize,
    lost: usize,
    doubled: usize,
    waiting: usize,
    not_struck_out: usize,
    not_acknowledged: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Victim {
    Producer,
    Relay,
    Server,
}

/// Producer and relay at work on databases of their own.
struct Shop {
    directory: TempDir,
    server: Option<Redis>,
    producer: Option<Child>,
    relay: Option<Child>,
}

impl Shop {
    fn open(server: Option<&[&str]>) -> Result<Self, Failed> {
        let server = server.map(Redis::start).transpose()?;
        Ok(Self { directory: TempDir::new()?, server, producer: None, relay: None })
    }

    fn command(&self, role: &[&str]) -> Command {
        let mut command = guarded(&*PROGRAM);
        command.current_dir(self.directory.path()).stdin(Stdio::null()).args(role);
        if let Some(server) = &self.server {
            command.args(["--to", &server.url()]);
        }
        command
    }

    /// Starts one of the two in the background; what it prints is kept in files, which outlive it.
    fn spawn(&self, role: &[&str]) -> Result<Child, Failed> {
        let file = |ending| {
            let path = self.path(&format!("{}.{ending}", role[0]));
            OpenOptions::new().create(true).append(true).open(path)
        };
        Ok(self.command(role).stdout(file("out")?).stderr(file("err")?).spawn()?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The numbers of the payments that were acknowledged; a client asks for the next one.
    fn acknowledged(&self) -> BTreeSet<u32> {
        let printed = fs::read_to_string(self.path("produce.out")).unwrap_or_default();
        let lines = texts(&printed, None);
        lines.iter().filter_map(|line| number(line.strip_suffix(" is acknowledged")?)).collect()
    }

    /// Starts what does not run, and lets both work for some time.
    fn run_for(&mut self, time: Duration) -> Result<(), Failed> {
        let end = Instant::now() + time;
        if self.producer.is_none() {
            // What was not acknowledged is asked for again, whatever became of it.
            let next = self.acknowledged().last().map_or(1, |last| last + 1);
            self.producer = Some(self.spawn(&["produce", &next.to_string(), "1000000"])?);
        }
        while Instant::now() < end {
            match self.relay.as_mut().map(Child::try_wait).transpose()?.flatten() {
                None if self.relay.is_some() => {}
                // It has found nothing to do.
                None => self.relay = Some(self.spawn(&["relay"])?),
                Some(status) if status.success() => self.relay = Some(self.spawn(&["relay"])?),
                Some(status) => return Err(self.unexpected("relay", status)),
            }
            thread::sleep(Duration::from_millis(1).min(end - Instant::now().min(end)));
        }
        Ok(())
    }

    /// Kills one; `false` if it had just ended by itself.
    fn kill(&mut self, victim: Victim) -> Result<bool, Failed> {
        let (name, process) = match victim {
            Victim::Server => return self.kill_the_server().map(|()| true),
            Victim::Producer => ("produce", self.producer.take()),
            Victim::Relay => ("relay", self.relay.take()),
        };
        let Some(mut process) = process else { return Ok(false) };
        process.kill()?;
        let status = process.wait()?;
        match status.signal() {
            Some(9) => Ok(true),
            _ if status.success() => Ok(false),
            _ => Err(self.unexpected(name, status)),
        }
    }

    /// Without their server both have to end, in one clear line.
    fn kill_the_server(&mut self) -> Result<(), Failed> {
        let server = self.server.as_mut().ok_or("there is no server")?;
        server.kill()?;
        for (name, process) in [("produce", self.producer.take()), ("relay", self.relay.take())] {
            let Some(mut process) = process else { continue };
            let status = wait(&mut process)?;
            let said = fs::read_to_string(self.path(&format!("{name}.err")))?;
            let ended_before = name == "relay" && status.success();
            if !ended_before && (status.code() != Some(1) || said.lines().count() != 1) {
                return Err(self.unexpected(name, status));
            }
            File::create(self.path(&format!("{name}.err")))?;
        }
        self.server.as_mut().ok_or("there is no server")?.restart()
    }

    fn unexpected(&self, name: &str, status: ExitStatus) -> Failed {
        let said = fs::read_to_string(self.path(&format!("{name}.err"))).unwrap_or_default();
        format!("`{name}` ended with {status}: {said}").into()
    }

    fn note_what_is_left(&mut self, victim: Victim, sum: &mut Figures) -> Result<(), Failed> {
        let acknowledged = self.acknowledged();
        let books = self.books()?;
        let is_applied = |key: &u32| books.posted.contains_key(key);
        let waits = |key: &u32| books.waiting.contains(key) && !is_applied(key);
        sum.waiting += usize::from(acknowledged.iter().any(waits));
        // The others work on while the books are read; only what nobody moves can be told.
        if victim != Victim::Producer {
            sum.not_struck_out += usize::from(books.waiting.iter().any(is_applied));
        }
        if victim != Victim::Relay {
            let last = acknowledged.last().copied().unwrap_or(0);
            let kept = books.waiting.iter().chain(books.posted.keys()).max();
            sum.not_acknowledged += usize::from(kept.is_some_and(|kept| *kept > last));
        }
        Ok(())
    }

    fn books(&self) -> Result<Books, Failed> {
        let output = self.command(&["show"]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Books::read(&String::from_utf8_lossy(&output.stdout))
    }

    /// Lets a last relay deliver what waits, and holds what took effect against what was
    /// acknowledged.
    fn finish(mut self, sum: &mut Figures) -> Result<(), Failed> {
        self.kill(Victim::Producer)?;
        self.kill(Victim::Relay)?;
        let mut relay = self.spawn(&["relay"])?;
        let status = wait(&mut relay)?;
        if !status.success() {
            return Err(self.unexpected("relay", status));
        }
        let (acknowledged, books) = (self.acknowledged(), self.books()?);
        books.are_balanced()?;
        if let Some(key) = books.waiting.first() {
            return Err(format!("payment-{key} still waits").into());
        }
        let last = acknowledged.last().copied().unwrap_or(0);
        if let Some((key, _)) = books.posted.iter().find(|(key, _)| **key > last + 1) {
            return Err(format!("nobody has asked for payment-{key}").into());
        }
        let is_right = |key: &u32| match *key {
            MISSPELT => books.dead.contains(key),
            _ => books.posted.contains_key(key),
        };
        sum.acknowledged += acknowledged.len();
        sum.applied += books.posted.len();
        sum.dead += books.dead.len();
        sum.lost += acknowledged.iter().filter(|key| !is_right(key)).count();
        sum.doubled += books.posted.values().filter(|times| **times > 1).count();
        Ok(())
    }
}

/// Also where a test has failed.
impl Drop for Shop {
    fn drop(&mut self) {
        for process in [&mut self.producer, &mut self.relay].into_iter().flatten() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What `durable-handoff show` tells.
#[derive(Default)]
struct Books {
    waiting: BTreeSet<u32>,
    dead: BTreeSet<u32>,
    /// How often each payment was posted.
    posted: BTreeMap<u32, usize>,
    sums: BTreeMap<String, u64>,
    balances: BTreeMap<String, u64>,
}

impl Books {
    fn read(printed: &str) -> Result<Self, Failed> {
        let mut books = Self::default();
        for line in texts(printed, None) {
            let unknown = || Failed::from(format!("cannot read `{line}`"));
            let key = || line.split(' ').next().and_then(number).ok_or_else(unknown);
            if line.ends_with(" waits") {
                books.waiting.insert(key()?);
            } else if line.ends_with(" is a dead letter") {
                books.dead.insert(key()?);
            } else if let Some((_, posting)) = line.split_once(" is posted: ") {
                *books.posted.entry(key()?).or_default() += 1;
                let (amount, account) = posting.split_once(" to ").ok_or_else(unknown)?;
                let amount: u64 = amount.parse()?;
                if amount != u64::from(key()?) * 10 {
                    return Err(unknown());
                }
                *books.sums.entry(account.to_owned()).or_default() += amount;
            } else {
                let (account, balance) = line.split_once(" has ").ok_or_else(unknown)?;
                books.balances.insert(account.to_owned(), balance.parse()?);
            }
        }
        Ok(books)
    }

    /// A payment that took effect twice shows here, even if it was posted once.
    fn are_balanced(&self) -> Result<(), Failed> {
        for (account, balance) in &self.balances {
            let sum = self.sums.get(account).copied().unwrap_or(0);
            if *balance != sum {
                return Err(format!("{account} has {balance}, and {sum} was posted").into());
            }
        }
        Ok(())
    }
}

/// Has a Redis server acknowledge 2000 payments, kills it, and counts what it knows afterwards.
fn keeps(block: &str, name: &str, settings: &[&str]) -> Result<(), Failed> {
    let mut shop = Shop::open(Some(settings))?;
    let output = shop.command(&["produce", "1", "2000"]).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let acknowledged = texts(&printed, None).len();
    let server = shop.server.as_mut().ok_or("there is no server")?;
    server.kill()?;
    server.restart()?;
    let kept = server.ask("XLEN payments")?;
    as_the_chapter_tells(
        LESSON,
        block,
        &[format!("{name}: {acknowledged} acknowledged"), format!("{name}: {kept} kept")],
    )
}

/// A power cut cannot be tried here. That the kernel was asked to put each payment on disk, and
/// has said that it did, before the payment was acknowledged, can.
fn each_acknowledgement_is_synced() -> Result<(), Failed> {
    let shop = Shop::open(None)?;
    let trace = shop.path("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-e", "trace=write,fsync,fdatasync", "-o"])
        .args([&trace, &*PROGRAM])
        .args(["produce", "1", "50"])
        .current_dir(shop.directory.path())
        .stdout(Stdio::null())
        .status()?;
    let (mut synced, mut acknowledged, mut late) = (false, 0, 0);
    for call in fs::read_to_string(trace)?.lines() {
        if call.contains("sync(") && call.contains("/outbox.db-wal>) = 0") {
            synced = true;
        } else if call.contains(" is acknowledged") {
            acknowledged += 1;
            late += usize::from(!synced);
            synced = false;
        }
    }
    println!("\nsqlite: {acknowledged} acknowledged, {late} of them before they were on disk");
    if status.success() && acknowledged == 50 && late == 0 {
        Ok(())
    } else {
        Err("50 and 0 expected".into())
    }
}

/// Files cannot grow beyond a limit: nothing is acknowledged that was not kept.
fn file_too_large() -> Result<(), Failed> {
    let shop = Shop::open(None)?;
    let limited = "trap '' XFSZ; ulimit -f 200; exec \"$0\" produce 1 1000";
    let output = Command::new("sh")
        .args([OsStr::new("-c"), limited.as_ref(), PROGRAM.as_os_str()])
        .current_dir(shop.directory.path())
        .output()?;
    refused(&output.stdout, &output.stderr, output.status.code(), "disk I/O error")?;
    let relay = shop.command(&["relay"]).output()?;
    all_applied(&output.stdout, &relay.stdout)
}

/// A disk of 256 KiB, which a namespace of our own allows to mount; it is larger afterwards.
fn full_disk() -> Result<Completion, Failed> {
    let script = "mount -t tmpfs -o size=256k tmpfs . && cd \"$PWD\" || exit 77
        \"$0\" produce 1 1000 >\"$1/out\" 2>\"$1/err\"; echo $? >\"$1/code\"
        mount -o remount,size=8m . && exec \"$0\" relay";
    let (results, disk) = (TempDir::new()?, TempDir::new()?);
    let unshare = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .args([&*PROGRAM, results.path()])
        .current_dir(disk.path())
        .output();
    let relay = match unshare {
        Ok(output) if output.status.success() => output,
        _ => return Ok(Completion::ignored_with("no file system may be mounted here")),
    };
    let read = |name| fs::read(results.path().join(name));
    let code = String::from_utf8_lossy(&read("code")?).trim().parse().ok();
    refused(&read("out")?, &read("err")?, code, "database or disk is full")?;
    all_applied(&read("out")?, &relay.stdout)?;
    Ok(Completion::Completed)
}

/// The payment after the last one that was acknowledged was refused in one clear line.
fn refused(out: &[u8], err: &[u8], code: Option<i32>, reason: &str) -> Result<(), Failed> {
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    let next = texts(&out, None).len() + 1;
    let expected = format!("payment-{next} is not acknowledged: {reason}\n");
    if err == expected && code == Some(1) && next > 2 {
        Ok(())
    } else {
        Err(format!("expected {expected:?} and exit code 1: {err:?}, {code:?}").into())
    }
}

fn all_applied(produced: &[u8], relayed: &[u8]) -> Result<(), Failed> {
    let acknowledged = texts(&String::from_utf8_lossy(produced), None).len();
    let relayed = texts(&String::from_utf8_lossy(relayed), None);
    let applied = relayed.iter().filter(|line| line.contains(" is applied: ")).count();
    let dead = relayed.iter().filter(|line| line.ends_with(" is a dead letter")).count();
    println!("\na full disk: {acknowledged} acknowledged, {applied} applied, {dead} dead letter");
    // The one that was refused may have been kept all the same; it was not acknowledged.
    if dead == 1 && (applied + 1 == acknowledged || applied == acknowledged) {
        Ok(())
    } else {
        Err("an acknowledged payment is missing".into())
    }
}

/// A Redis server on a free port of this machine, with its data in a directory of its own.
struct Redis {
    directory: TempDir,
    port: u16,
    settings: Vec<String>,
    process: Child,
}

impl Redis {
    fn start(settings: &[&str]) -> Result<Self, Failed> {
        let directory = TempDir::new()?;
        let settings: Vec<_> = settings.iter().map(|word| (*word).to_owned()).collect();
        // Free now; whoever takes it first has it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Self::spawn(directory.path(), port, &settings)?;
        let mut server = Self { directory, port, settings, process };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn spawn(directory: &Path, port: u16, settings: &[String]) -> std::io::Result<Child> {
        guarded("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(settings)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
    }

    fn kill(&mut self) -> Result<(), Failed> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Failed> {
        self.process = Self::spawn(self.directory.path(), self.port, &self.settings)?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<(), Failed> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.ask("PING").is_ok_and(|answer| answer == "PONG") {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("redis-server ended with {status}").into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err("redis-server is not ready".into())
    }

    /// Sends a command and gives its answer of one line, without its type.
    fn ask(&self, command: &str) -> Result<String, Failed> {
        let mut server = TcpStream::connect(("127.0.0.1", self.port))?;
        server.set_read_timeout(Some(PATIENCE))?;
        write!(server, "{command}\r\nQUIT\r\n")?;
        let mut answers = String::new();
        server.read_to_string(&mut answers)?;
        let answer = answers.lines().next().unwrap_or_default();
        Ok(answer.get(1..).unwrap_or_default().to_owned())
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The number of `payment-7`.
fn number(key: &str) -> Option<u32> {
    key.strip_prefix("payment-")?.parse().ok()
}

fn wait(process: &mut Child) -> Result<ExitStatus, Failed> {
    if let Some(status) = ended_within(process, PATIENCE)? {
        return Ok(status);
    }
    process.kill()?;
    process.wait()?;
    Err("a program that is to end by itself does not".into())
}
