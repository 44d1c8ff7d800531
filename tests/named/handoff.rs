//! The lesson durable-handoff under SIGKILL: producer, relay and Redis server are killed at many
//! moments and started again, and every acknowledged payment takes effect once. No answer is given
//! before a sync, also where a process was killed between the write and the sync.
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
use named::tools::{as_the_chapter_tells, ended_within, needs, on_path, one_at_a_time, seeded};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
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
        Trial::ignorable_test("redis::two-relays", needs("redis-server", two_relays)),
        Trial::ignorable_test("redis::unreadable", needs("redis-server", unreadable)),
        Trial::ignorable_test("redis::evicted", needs("redis-server", evicted)),
        Trial::ignorable_test("redis::defaults", needs("redis-server", defaults)),
        Trial::ignorable_test(
            "redis::append-only",
            needs("redis-server", || match on_path("strace") {
                Some(_) => append_only(),
                None => Err("there is no strace".into()),
            }),
        ),
        Trial::ignorable_test("sqlite::synced", needs("strace", each_acknowledgement_is_synced)),
        Trial::ignorable_test("sqlite::asked-again", needs("strace", asked_again_is_synced)),
        Trial::ignorable_test("sqlite::applied-again", needs("strace", applied_again_is_synced)),
        Trial::ignorable_test("sqlite::dead-relay", needs("strace", dead_relay)),
        Trial::test("sqlite::eight-relays", eight_relays),
        Trial::ignorable_test("sqlite::asked-for-anew", needs("python3", asked_for_anew)),
        Trial::test("sqlite::half-a-copy", half_a_copy),
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

    /// Its files as they are now, so that looking at them changes nothing here.
    fn copy(&self) -> Result<Self, Failed> {
        let copy = Self::open(None)?;
        for file in fs::read_dir(self.directory.path())? {
            let file = file?;
            fs::copy(file.path(), copy.directory.path().join(file.file_name()))?;
        }
        Ok(copy)
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

/// With its defaults a Redis server saves what it knows when it is asked to end.
fn defaults() -> Result<(), Failed> {
    let name = "redis, its defaults";
    let (ended, kept_at_the_end) = acknowledged_and_kept(&[], Signal::SIGTERM)?;
    let (killed, kept) = acknowledged_and_kept(&[], Signal::SIGKILL)?;
    as_the_chapter_tells(
        LESSON,
        "redis-defaults",
        &[
            format!("{name}: {ended} acknowledged, then SIGTERM"),
            format!("{name}: {kept_at_the_end} kept after SIGTERM"),
            format!("{name}: {killed} acknowledged, then SIGKILL"),
            format!("{name}: {kept} kept after SIGKILL"),
        ],
    )
}

/// With a log that is synced each second.
fn append_only() -> Result<(), Failed> {
    let name = "redis, appendonly";
    let (acknowledged, kept) = acknowledged_and_kept(&["--appendonly", "yes"], Signal::SIGKILL)?;
    let (meanwhile, lost) = busy_disk()?;
    as_the_chapter_tells(
        LESSON,
        "redis-append-only",
        &[
            format!("{name}: {acknowledged} acknowledged, then SIGKILL"),
            format!("{name}: {kept} kept after SIGKILL"),
            format!("{name}, a busy disk: {meanwhile} acknowledged, then SIGKILL"),
            format!("{name}, a busy disk: {lost} of them lost"),
        ],
    )
}

/// Has a Redis server acknowledge 2000 payments, ends it, and counts what it knows afterwards.
fn acknowledged_and_kept(settings: &[&str], end: Signal) -> Result<(usize, usize), Failed> {
    let mut shop = Shop::open(Some(settings))?;
    let output = shop.command(&["produce", "1", "2000"]).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let acknowledged = texts(&printed, None).len();
    let server = shop.server.as_mut().ok_or("there is no server")?;
    signal::kill(pid(&server.process)?, end)?;
    wait(&mut server.process)?;
    server.restart()?;
    Ok((acknowledged, server.ask("XLEN payments")?.parse()?))
}

/// A disk that takes 5 s for a sync. How many are acknowledged in a second and a half is a matter of
/// speed; that some of them are lost is not.
fn busy_disk() -> Result<(usize, usize), Failed> {
    let slow = "--trace=fsync,fdatasync --inject=fsync,fdatasync:delay_enter=5000000";
    let mut shop = Shop::open(Some(&["--appendonly", "yes"]))?;
    let mut server = shop.server.take().ok_or("there is no server")?;
    let mut strace = guarded("strace")
        .args(["-f", "-q", "-o", "/dev/null", "-p", &server.process.id().to_string()])
        .args(slow.split(' '))
        .stderr(Stdio::null())
        .spawn()?;
    thread::sleep(Duration::from_millis(500));
    let url = server.url();
    let mut producer = shop.spawn(&["produce", "1", "1000000", "--to", &url])?;
    thread::sleep(Duration::from_millis(1500));
    server.kill()?;
    wait(&mut producer)?;
    strace.kill()?;
    strace.wait()?;
    let acknowledged = shop.acknowledged().len();
    server.restart()?;
    let kept: usize = server.ask("XLEN payments")?.parse()?;
    Ok((acknowledged, acknowledged.saturating_sub(kept)))
}

/// Two relays on one stream share the work, and the refused payment is tried three times, not three
/// times by each. Where one of them is killed, the other takes over what it had in its hands.
fn two_relays() -> Result<(), Failed> {
    for kills in [false, true] {
        let shop = Shop::open(Some(&DURABLE))?;
        let output = shop.command(&["produce", "1", "300"]).output()?;
        let acknowledged = texts(&String::from_utf8_lossy(&output.stdout), None).len();
        let mut relays = [shop.spawn(&["relay"])?, shop.spawn(&["relay"])?];
        if kills {
            thread::sleep(Duration::from_millis(100));
            relays[0].kill()?;
        }
        let [first, second] = &mut relays;
        for (relay, is_killed) in [(first, kills), (second, false)] {
            let status = wait(relay)?;
            if !status.success() && !is_killed {
                return Err(shop.unexpected("relay", status));
            }
        }
        let said = fs::read_to_string(shop.path("relay.out"))?;
        let count = |what: &str| said.matches(what).count();
        let (refused, again) = (count("payment-2 has failed"), count(" was applied before"));
        let books = shop.books()?;
        books.are_balanced()?;
        let applied = books.posted.len();
        println!("\nredis: {acknowledged} acknowledged, {applied} applied, {again} were before");
        // What the killed one had done and not yet written down is done once more.
        let extra = usize::from(kills);
        let is_right = (acknowledged, applied, books.waiting.len()) == (300, 299, 0);
        if !is_right || refused > 3 + extra || again > extra || !books.dead.contains(&MISSPELT) {
            return Err(format!("300 and 299 expected; {refused} failures").into());
        }
    }
    Ok(())
}

/// Eight relays on one outbox may all try the refused payment at once: its failures are counted
/// once each, and it waits as long as with one relay.
fn eight_relays() -> Result<(), Failed> {
    let shop = Shop::open(None)?;
    shop.command(&["produce", "2", "2"]).output()?;
    let start = Instant::now();
    let mut relays = Vec::new();
    for _ in 0..8 {
        relays.push(shop.spawn(&["relay"])?);
    }
    for relay in &mut relays {
        let status = wait(relay)?;
        if !status.success() {
            return Err(shop.unexpected("relay", status));
        }
    }
    let took = start.elapsed();
    let said = fs::read_to_string(shop.path("relay.out"))?;
    let tries = said.matches(" has failed, ").count();
    let beyond = said.matches(" of 3: ").count()
        - (1..=3).map(|n| said.matches(&format!("failed, {n} of 3: ")).count()).sum::<usize>();
    println!("\nsqlite: eight relays, {tries} tries, {beyond} beyond the third; took {took:.1?}");
    if beyond > 0 || took < Duration::from_secs(3) || !shop.books()?.dead.contains(&MISSPELT) {
        return Err("no failure beyond the third, and 3 s expected".into());
    }
    Ok(())
}

/// A dead letter that is asked for again, when its account is there, is one no more.
fn asked_for_anew() -> Result<(), Failed> {
    let mut shops = vec![Shop::open(None)?];
    if on_path("redis-server").is_some() {
        shops.push(Shop::open(Some(&DURABLE))?);
    }
    for shop in shops {
        for _ in 0..2 {
            shop.command(&["produce", "2", "2"]).output()?;
            shop.command(&["relay"]).output()?;
            let books = shop.books()?;
            let is_open = books.balances.contains_key("bbo");
            if books.dead.contains(&MISSPELT) == is_open
                || books.posted.contains_key(&MISSPELT) != is_open
            {
                return Err("a dead letter, or posted, and not both".into());
            }
            Command::new("python3")
                .args([
                    "-c",
                    "import sqlite3; db = sqlite3.connect('ledger.db')\n\
                    db.execute(\"INSERT OR IGNORE INTO accounts VALUES ('bbo', 0)\"); db.commit()",
                ])
                .current_dir(shop.directory.path())
                .status()?;
        }
    }
    Ok(())
}

/// What the program has acknowledged is in `outbox.db-wal` for a while, and not in `outbox.db`.
fn half_a_copy() -> Result<(), Failed> {
    let (shop, copy) = (Shop::open(None)?, Shop::open(None)?);
    shop.command(&[]).output()?;
    fs::copy(shop.path("outbox.db"), copy.path("outbox.db"))?;
    let (whole, half) = (shop.books()?.waiting.len(), copy.books()?.waiting.len());
    println!("\nsqlite: {whole} wait; {half} in a copy of outbox.db alone");
    if (whole, half) == (2, 0) { Ok(()) } else { Err("2 and 0 expected".into()) }
}

/// An entry that no relay can read becomes a dead letter, with all that it says; what is behind it is
/// delivered.
fn unreadable() -> Result<(), Failed> {
    let shop = Shop::open(Some(&DURABLE))?;
    let server = shop.server.as_ref().ok_or("there is no server")?;
    let id = server.ask("XADD payments 1-0 key p account bob amount ten")?;
    server.ask("XADD payments 2-0 kind another")?;
    server.ask(r#"XADD payments 3-0 "\xff" text"#)?;
    shop.command(&["produce", "1", "3"]).output()?;
    shop.command(&["show"]).output()?;
    let relay = shop.command(&["relay"]).output()?;
    let said = String::from_utf8_lossy(&relay.stdout);
    let applied = said.matches(" is applied: ").count();
    let texts = [
        ("1-0", "key=p account=bob amount=ten: its `amount` cannot be read"),
        ("2-0", "kind=another: its `key` cannot be read"),
        ("3-0", r"\xff=text: its `key` cannot be read"),
        ("payment-2", "key=payment-2 account=bbo amount=20: there is no account `bbo`"),
    ];
    let dead = texts.map(|(key, _)| format!("{key} is a dead letter"));
    for (key, text) in texts {
        let kept = server.ask_text(&format!("HGET payments:dead-letters {key}"))?;
        if kept != text {
            return Err(format!("{key}: `{text}` expected, and not `{kept}`").into());
        }
    }
    println!("\nredis: an entry that cannot be read, {id}; {applied} applied");
    if relay.status.success() && applied == 2 && dead.iter().all(|line| said.contains(line)) {
        Ok(())
    } else {
        Err(format!("2 applied and 4 dead letters expected: {said}").into())
    }
}

/// A server that may throw out what it likes throws out what it has acknowledged, synced or not.
fn evicted() -> Result<(), Failed> {
    // It looks at a few keys at a time and throws out the one that was idle longest, by a clock of
    // seconds: with the 5 that it looks at by default, the payments had the luck to stay now and then.
    let full =
        ["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-samples", "64"];
    let shop = Shop::open(Some(&[&DURABLE[..], &full].concat()))?;
    let output = shop.command(&["produce", "1", "200"]).output()?;
    let acknowledged = texts(&String::from_utf8_lossy(&output.stdout), None).len();
    thread::sleep(Duration::from_millis(2100));
    let server = shop.server.as_ref().ok_or("there is no server")?;
    for number in 0..400 {
        server.ask(&format!("SET page-{number} {}", "x".repeat(16_000)))?;
    }
    let kept = server.ask("XLEN payments")?;
    println!("\nredis, allkeys-lru: {acknowledged} acknowledged, {kept} kept");
    if (acknowledged, &*kept) == (200, "0") { Ok(()) } else { Err("200 and 0 expected".into()) }
}

/// A power cut cannot be tried here. That the kernel was asked to put each payment on disk, and
/// has said that it did, before the payment was acknowledged, can.
fn each_acknowledgement_is_synced() -> Result<(), Failed> {
    let shop = Shop::open(None)?;
    // The second time each of them is there already.
    for _ in 0..2 {
        let (mut synced, mut acknowledged, mut late) = (false, 0, 0);
        for call in calls(&shop, &["produce", "1", "50"], None)? {
            if is_sync(&call, "outbox") {
                synced = true;
            } else if call.contains(" is acknowledged") {
                acknowledged += 1;
                late += usize::from(!synced);
                synced = false;
            }
        }
        println!("\nsqlite: {acknowledged} acknowledged, {late} of them before they were on disk");
        if (acknowledged, late) != (50, 0) {
            return Err("50 and 0 expected".into());
        }
    }
    Ok(())
}

/// A producer is killed before its first sync, another before its second, and so on. What it had
/// written is there after recovery and was never synced; the same key is asked for again.
fn asked_again_is_synced() -> Result<(), Failed> {
    let (mut between, mut late) = (0, 0);
    for sync in 1.. {
        let shop = Shop::open(None)?;
        let killed = calls(&shop, &["produce", "1", "1"], Some(sync))?;
        if !killed.last().is_some_and(|call| call.contains("killed by SIGKILL")) {
            break;
        }
        let is_kept = shop.copy()?.books()?.waiting.contains(&1);
        let is_acknowledged = killed.iter().any(|call| call.contains(" is acknowledged"));
        between += usize::from(is_kept && !is_acknowledged);
        let again = calls(&shop, &["produce", "1", "1"], None)?;
        let mut before = again.iter().take_while(|call| !call.contains(" is acknowledged"));
        late += usize::from(!before.any(|call| is_sync(call, "outbox")));
    }
    println!("\nsqlite: {between} kept and not synced; {late} acknowledged without a sync");
    if between > 0 && late == 0 { Ok(()) } else { Err("1 and 0 expected".into()) }
}

/// The same for the ledger: before the relay strikes a payment out of the outbox, it is synced.
fn applied_again_is_synced() -> Result<(), Failed> {
    let (mut between, mut late) = (0, 0);
    for sync in 1.. {
        let shop = Shop::open(None)?;
        shop.command(&["produce", "1", "1"]).output()?;
        let killed = calls(&shop, &["relay"], Some(sync))?;
        if !killed.last().is_some_and(|call| call.contains("killed by SIGKILL")) {
            break;
        }
        let again = calls(&shop, &["relay"], None)?;
        between += usize::from(again.iter().any(|call| call.contains(" was applied before")));
        let is_strike_out =
            |call: &&String| call.contains("pwrite64(") && call.contains("/outbox.db-wal>");
        let strike_out = again.iter().position(|call| is_strike_out(&call));
        let before = &again[..strike_out.unwrap_or(0)];
        // Where nothing is struck out, the killed relay had done all.
        let is_late = !before.iter().any(|call| is_sync(call, "ledger"));
        late += usize::from(strike_out.is_some() && is_late);
    }
    println!("\nsqlite: {between} applied before; {late} struck out without a sync");
    if between > 0 && late == 0 { Ok(()) } else { Err("1 or more, and 0 expected".into()) }
}

/// The system calls of a run, and what it printed; killed in place of its `sync`th sync.
fn calls(shop: &Shop, role: &[&str], sync: Option<usize>) -> Result<Vec<String>, Failed> {
    let trace = shop.path("trace");
    let kill = |sync| format!("--inject=fsync,fdatasync:error=EIO:signal=KILL:when={sync}");
    guarded("strace")
        .args(["-f", "-y", "-s", "200", "-e", "trace=pwrite64,write,fsync,fdatasync", "-o"])
        .arg(&trace)
        .args(sync.map(kill))
        .arg(&*PROGRAM)
        .args(role)
        .current_dir(shop.directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(fs::read_to_string(trace)?.lines().map(str::to_owned).collect())
}

fn is_sync(call: &str, database: &str) -> bool {
    call.contains("sync(") && call.contains(&format!("/{database}.db-wal>) = 0"))
}

/// The ledger's disk fails under the relay: `main` acknowledges nothing more, and what it has
/// acknowledged is delivered later.
fn dead_relay() -> Result<(), Failed> {
    let shop = Shop::open(None)?;
    shop.command(&["relay"]).output()?;
    let mut program = guarded("strace")
        .args(["-f", "-o", "/dev/null", "-e", "trace=pwrite64"])
        .args(["-e", "inject=pwrite64:error=EIO", "-P"])
        .args([shop.path("ledger.db-wal"), PROGRAM.clone()])
        .current_dir(shop.directory.path())
        .stdout(File::create(shop.path("out"))?)
        .stderr(File::create(shop.path("err"))?)
        .spawn()?;
    let status = wait(&mut program)?;
    let (out, err) = (fs::read(shop.path("out"))?, fs::read_to_string(shop.path("err"))?);
    let printed = String::from_utf8_lossy(&out);
    let acknowledged = printed.matches(" is acknowledged").count();
    println!("\nsqlite: {acknowledged} of 5 acknowledged until the relay had ended");
    if status.code() != Some(1) || err != "the relay has ended: disk I/O error\n" {
        return Err(format!("expected one line and exit code 1: {err:?}, {status}").into());
    }
    let relay = shop.command(&["relay"]).output()?;
    let relayed = String::from_utf8_lossy(&relay.stdout);
    let delivered =
        relayed.matches(" is applied: ").count() + relayed.matches(" is a dead letter").count();
    if (1..5).contains(&acknowledged) && delivered == acknowledged {
        Ok(())
    } else {
        Err(format!("{acknowledged} acknowledged, {delivered} delivered later").into())
    }
}

/// Files cannot grow beyond a limit: nothing is acknowledged that was not kept. The system kills a
/// program that goes beyond it, unless it ignores SIGXFSZ.
fn file_too_large() -> Result<(), Failed> {
    for ignored in [true, false] {
        let shop = Shop::open(None)?;
        let trap = if ignored { "trap '' XFSZ" } else { ":" };
        let limited = format!("{trap}; ulimit -f 200; exec \"$0\" produce 1 1000");
        let output = Command::new("sh")
            .args([OsStr::new("-c"), limited.as_ref(), PROGRAM.as_os_str()])
            .current_dir(shop.directory.path())
            .output()?;
        if ignored {
            refused(&output.stdout, &output.stderr, output.status.code(), "disk I/O error")?;
        } else if output.status.signal() != Some(Signal::SIGXFSZ as i32) {
            return Err(format!("expected SIGXFSZ: {}", output.status).into());
        }
        let relay = shop.command(&["relay"]).output()?;
        all_applied(&output.stdout, &relay.stdout)?;
    }
    Ok(())
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
        let answers = self.answers(command)?;
        let answer = answers.lines().next().unwrap_or_default();
        Ok(answer.get(1..).unwrap_or_default().to_owned())
    }

    /// Sends a command that is answered by a text of one line, behind a line with its length.
    fn ask_text(&self, command: &str) -> Result<String, Failed> {
        Ok(self.answers(command)?.lines().nth(1).unwrap_or_default().to_owned())
    }

    fn answers(&self, command: &str) -> Result<String, Failed> {
        let mut server = TcpStream::connect(("127.0.0.1", self.port))?;
        server.set_read_timeout(Some(PATIENCE))?;
        write!(server, "{command}\r\nQUIT\r\n")?;
        let mut answers = String::new();
        server.read_to_string(&mut answers)?;
        Ok(answers)
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

fn pid(process: &Child) -> Result<Pid, Failed> {
    Ok(Pid::from_raw(i32::try_from(process.id())?))
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
