//! The lesson edge-gateway under SIGKILL, and started on logs that are cut off, damaged or not its
//! own: what was acknowledged reaches the cloud, and once.
//!
//! Takes less than a minute. Needs strace and unshare for some tests, which are listed as ignored
//! without them. `GATEWAY_SEED` repeats a run's moments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use named::self_check::guarded;
use named::tools::{as_the_chapter_tells, needs, one_at_a_time, seeded};
use tempfile::TempDir;
use workbook::programs::{self, Programs};
use workbook::promise::Profile;
use workbook::promise::judge::texts;
use workbook::workbook::Workbook;

const LESSON: &str = "edge-gateway";

/// How many kills there are, and how many of them befall the same log.
const KILLS: usize = 100;
const KILLS_IN_A_ROW: usize = 10;

/// When a kill comes, in microseconds after the start.
const MOMENTS: Range<u64> = 2_000..60_000;

/// How long a program may take that is to end by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a log begins with, and how much stands in front of each reading.
const MAGIC: &[u8] = b"edge-gateway log\n";
const HEAD: usize = 8;

static PROGRAMS: LazyLock<Programs> =
    LazyLock::new(|| programs::build(&Workbook::home(), [LESSON], Profile::Dev).expect("cargo"));

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("killed", killed),
        Trial::test("cut-at-each-byte", cut_at_each_byte),
        Trial::test("each-bit-flipped", each_bit_flipped),
        Trial::test("position-damaged", position_damaged),
        Trial::test("cloud-cut", cloud_cut),
        Trial::test("half-a-line", half_a_line),
        Trial::test("not-a-log", not_a_log),
        Trial::test("two-gateways", two_gateways),
        Trial::ignorable_test("synced", needs("strace", each_word_is_synced)),
        Trial::ignorable_test("full-disk", full_disk),
    ];
    one_at_a_time(trials, || {
        LazyLock::force(&PROGRAMS);
    })
}

/// Kills the gateway, and now and then the cloud, at seeded moments; looks at what each kill left,
/// and in the end at what the cloud has.
fn killed() -> Result<(), Failed> {
    let mut dice = seeded("GATEWAY_SEED");
    let mut sum = Figures::default();
    while sum.kills < KILLS {
        let place = Site::new()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let mut cloud = place.spawn("edge-gateway-cloud", &[&address])?;
        for _ in 0..KILLS_IN_A_ROW {
            let endless = ["--readings", "4000000", "--every", "0", "--cloud", &address];
            let mut gateway = place.spawn(LESSON, &endless)?;
            thread::sleep(Duration::from_micros(dice.u64(MOMENTS)));
            gateway.kill()?;
            let kill_the_cloud = dice.u8(..4) == 0;
            if kill_the_cloud {
                cloud.kill()?;
            }
            place.note_what_is_left(&mut sum)?;
            if kill_the_cloud {
                cloud = place.spawn("edge-gateway-cloud", &[&address])?;
            }
        }
        let last = place.run(&["--readings", "0", "--grace", "60", "--cloud", &address])?;
        succeeded(&last, &["all is delivered"])?;
        drop(cloud);
        place.compare(&mut sum)?;
    }
    as_the_chapter_tells(
        LESSON,
        "killed",
        &[
            format!("{} kills", sum.kills),
            format!("{} readings acknowledged", sum.acknowledged),
            format!("{} lost", sum.lost),
            format!("{} doubled", sum.doubled),
            format!("{} kills left a torn record", sum.torn),
            format!("{} kills found a reading kept and not acknowledged", sum.not_acknowledged),
            format!("{} kills found a reading acknowledged and not delivered", sum.waiting),
            format!("{} kills found the position behind the cloud", sum.behind),
        ],
    )
}

#[derive(Default)]
struct Figures {
    kills: usize,
    acknowledged: usize,
    lost: usize,
    doubled: usize,
    torn: usize,
    not_acknowledged: usize,
    waiting: usize,
    behind: usize,
}

/// A log that ends anywhere in its last record: the others are kept, and its number is free.
fn cut_at_each_byte() -> Result<(), Failed> {
    let log = five_readings()?;
    let records = Records::of(&log);
    let fourth = records.ends[3];
    for length in fourth..log.len() {
        let place = Site::with("gateway.log", &log[..length])?;
        let output = place.run(&["--readings", "1", "--every", "0.01"])?;
        let torn = length - fourth;
        let told = format!("a torn record of {torn} bytes is cut off");
        let told = [&*told];
        succeeded(&output, if torn > 0 { &told } else { &[] })?;
        let [.., new] = &place.acknowledged()?[..] else {
            return Err("nothing acknowledged".into());
        };
        let mut expected = records.readings[..4].to_vec();
        expected.push(new.clone());
        same(&place.stored()?, &expected, &format!("cut at byte {length}"))?;
    }
    // Killed while the log was new.
    for length in 0..=MAGIC.len() {
        let place = Site::with("gateway.log", &MAGIC[..length])?;
        let output = place.run(&["--readings", "1", "--every", "0.01"])?;
        succeeded(&output, &[])?;
        same(&place.stored()?, &place.acknowledged()?, &format!("cut at byte {length}"))?;
    }
    let cuts = log.len() - fourth + MAGIC.len() + 1;
    as_the_chapter_tells(LESSON, "cut", &[format!("{cuts} cuts")])
}

/// One bit of a log turned over, any of them: all other readings are delivered, the damaged file is
/// kept, and what is lost is told.
fn each_bit_flipped() -> Result<(), Failed> {
    let log = five_readings()?;
    let records = Records::of(&log);
    for bit in 0..log.len() * 8 {
        let mut damaged = log.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let place = Site::with("gateway.log", &damaged)?;
        let output = place.run(&["--readings", "0", "--every", "0"])?;
        let hit = records.ends.iter().filter(|end| **end <= bit / 8).count();
        let (mut expected, mut lost) = (records.readings.clone(), 0);
        if bit / 8 >= MAGIC.len() {
            expected[hit].1 = "lost".to_owned();
            lost = 1;
        }
        let told = format!(
            "gateway.log was damaged: {} saved, {lost} lost; see gateway.log.damaged-1",
            5 - lost
        );
        succeeded(&output, &[&told])?;
        same(&place.stored()?, &expected, &format!("bit {bit} turned over"))?;
        if fs::read(place.path("gateway.log.damaged-1"))? != damaged {
            return Err(format!("bit {bit}: the damaged log is not kept").into());
        }
    }
    as_the_chapter_tells(
        LESSON,
        "flipped",
        &[format!("{} bits turned over, one at a time", log.len() * 8)],
    )
}

/// A position that cannot be read: everything is sent again, and stored once.
fn position_damaged() -> Result<(), Failed> {
    let place = Site::new()?;
    succeeded(&place.run(&["--readings", "5", "--every", "0.01"])?, &["all is delivered"])?;
    let position = fs::read(place.path("gateway.log.position"))?;
    let cuts = (0..position.len()).map(|length| position[..length].to_vec());
    let flips = (0..position.len() * 8).map(|bit| {
        let mut damaged = position.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    let first = place.stored()?;
    for damaged in cuts.chain(flips) {
        fs::write(place.path("gateway.log.position"), &damaged)?;
        let output = place.run(&["--readings", "0", "--every", "0"])?;
        let told =
            ["is open; not delivered yet: 5", "reading 5 was stored before", "all is delivered"];
        succeeded(&output, &told)?;
        same(&place.stored()?, &first, &format!("position {damaged:?}"))?;
    }
    more_than_one_batch_again()?;
    // Without its log, but with the position, the gateway does not begin with 1 again.
    fs::remove_file(place.path("gateway.log"))?;
    succeeded(&place.run(&["--readings", "1", "--every", "0.01"])?, &["reading 6 is delivered"])?;
    same(&place.stored()?, &place.acknowledged()?, "log removed")
}

/// More is sent again than shares an answer: the cloud answers with a number that is further on.
fn more_than_one_batch_again() -> Result<(), Failed> {
    let place = Site::new()?;
    succeeded(&place.run(&["--readings", "5", "--every", "0.01"])?, &["all is delivered"])?;
    // In the place of the new position is a directory, so the old one stays.
    let new = place.path("gateway.log.position.new");
    fs::create_dir(&new)?;
    succeeded(&place.run(&["--readings", "300", "--every", "0.001"])?, &["all is delivered"])?;
    fs::remove_dir(&new)?;
    let first = place.stored()?;
    for waiting in [300, 305] {
        let output = place.run(&["--readings", "0", "--every", "0", "--grace", "10"])?;
        let told = format!("is open; not delivered yet: {waiting}");
        succeeded(&output, &[&told, "reading 305 was stored before", "all is delivered"])?;
        same(&place.stored()?, &first, &format!("{waiting} sent again"))?;
        fs::remove_file(place.path("gateway.log.position"))?;
    }
    Ok(())
}

/// A cloud that was cut off in its last line: it has not answered, so the line comes again.
fn cloud_cut() -> Result<(), Failed> {
    let log = five_readings()?;
    let stored: String = Records::of(&log)
        .readings
        .iter()
        .map(|(number, value)| format!("{number} {value}\n"))
        .collect();
    for length in 0..=stored.len() {
        let place = Site::with("gateway.log", &log)?;
        fs::write(place.path("cloud.txt"), &stored[..length])?;
        succeeded(&place.run(&["--readings", "0", "--every", "0"])?, &["all is delivered"])?;
        if fs::read_to_string(place.path("cloud.txt"))? != stored {
            return Err(format!("cloud.txt was cut at byte {length}").into());
        }
    }
    Ok(())
}

/// A gateway that is cut off in the middle of a line: the cloud takes the line when it is whole.
fn half_a_line() -> Result<(), Failed> {
    let place = Site::new()?;
    let _cloud = place.spawn("edge-gateway-cloud", &["127.0.0.1:0"])?;
    let deadline = Instant::now() + PATIENCE;
    let address = loop {
        let printed = fs::read_to_string(place.path("out"))?;
        if let Some(line) = printed.strip_suffix('\n') {
            break line.rsplit(' ').next().unwrap_or_default().to_owned();
        }
        if Instant::now() > deadline {
            return Err("the cloud does not listen".into());
        }
        thread::sleep(Duration::from_millis(5));
    };
    for (sent, answers) in [("1 20.1\n2 20.", ""), ("2 20.2\n", "2\n")] {
        let mut cloud = TcpStream::connect(&address)?;
        cloud.set_read_timeout(Some(PATIENCE))?;
        cloud.write_all(sent.as_bytes())?;
        cloud.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        cloud.read_to_string(&mut answer)?;
        if answer != answers {
            return Err(format!("{sent:?} was answered with {answer:?}").into());
        }
    }
    same(&place.stored()?, &[(1, "20.1".into()), (2, "20.2".into())], "half a line")
}

/// What is not a log stays as it is, and the gateway does not start.
fn not_a_log() -> Result<(), Failed> {
    let executable = fs::read(&PROGRAMS[LESSON])?;
    let foreign: [&[u8]; 5] =
        [b"hello\n", b"degrees;humidity\n20.1;40\n", &[0; 4096], b"\n", &executable];
    for contents in foreign {
        let place = Site::with("gateway.log", contents)?;
        refused(&place.run(&[])?, "cannot use gateway.log: this is no log of a gateway\n")?;
        // The other is what the gateway printed: nothing.
        let count = fs::read_dir(place.directory.path())?.count();
        if fs::read(place.path("gateway.log"))? != contents || count != 2 {
            return Err("a foreign file was touched".into());
        }
    }
    let place = Site::new()?;
    fs::create_dir(place.path("gateway.log"))?;
    refused(&place.run(&[])?, "cannot use gateway.log: Is a directory (os error 21)\n")?;
    let place = Site::new()?;
    fs::create_dir(place.path("cloud.txt"))?;
    refused(&place.run(&[])?, "cannot use cloud.txt: Is a directory (os error 21)\n")
}

fn two_gateways() -> Result<(), Failed> {
    let place = Site::new()?;
    let _first = place.spawn(LESSON, &["--readings", "600", "--every", "0.1"])?;
    let deadline = Instant::now() + PATIENCE;
    while place.acknowledged()?.is_empty() {
        if Instant::now() > deadline {
            return Err("nothing is acknowledged".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    refused(&place.run(&[])?, "cannot use gateway.log: another gateway has it\n")
}

/// A power cut cannot be tried here. That the kernel was asked to put each reading on disk, and has
/// said that it did, before the reading was acknowledged or answered, can.
fn each_word_is_synced() -> Result<(), Failed> {
    let place = Site::new()?;
    let trace = place.path("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-e", "trace=write,sendto,fdatasync", "-o"])
        .args([&trace, &PROGRAMS[LESSON]])
        .args(["--readings", "50", "--every", "0.005"])
        .current_dir(place.directory.path())
        .stdout(Stdio::null())
        .status()?;
    // `main` writes and syncs the log, `cloud` its own file; each has its thread.
    let mut unsynced = BTreeSet::new();
    let (mut acknowledged, mut answered, mut late) = (0, 0, 0);
    for line in fs::read_to_string(trace)?.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let is_answer = || {
            let text = call.split('"').nth(1)?.strip_suffix("\\n")?;
            call.contains("sendto(").then_some(text.parse::<u64>().ok()?)
        };
        if call.contains("write(")
            && (call.contains("/gateway.log>") || call.contains("/cloud.txt>"))
        {
            unsynced.insert(thread.to_owned());
        } else if call.contains("fdatasync") && call.ends_with("= 0") {
            unsynced.remove(thread);
        } else if call.contains("write(") && call.contains(" is acknowledged") {
            acknowledged += 1;
            late += usize::from(unsynced.contains(thread));
        } else if is_answer().is_some() {
            answered += 1;
            late += usize::from(unsynced.contains(thread));
        }
    }
    println!("\n{acknowledged} acknowledged, {answered} answers, {late} of them too early");
    if status.success() && acknowledged == 50 && answered > 0 && late == 0 {
        Ok(())
    } else {
        Err("50, some and 0 expected".into())
    }
}

/// A disk of 64 KiB, which a namespace of our own allows to mount: readings are refused while it is
/// full, what was acknowledged is delivered, and when it grows the same gateway goes on.
fn full_disk() -> Result<Completion, Failed> {
    let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" || exit 77
        \"$0\" --log \"$1/gateway.log\" --readings 8000 --every 0.0005 --grace 30 &
        until grep -q refused out; do sleep 0.05; done
        sleep 0.3; mount -o remount,size=8m \"$1\"; wait $!";
    let (place, disk) = (Site::new()?, TempDir::new()?);
    let status = Command::new("timeout")
        .args(["60", "unshare", "--map-root-user", "--mount", "bash", "-c", script])
        .args([&PROGRAMS[LESSON], disk.path()])
        .current_dir(place.directory.path())
        .stdout(File::create(place.path("out"))?)
        .stderr(Stdio::null())
        .status()?;
    if status.code() == Some(77) || status.code() == Some(1) && place.acknowledged()?.is_empty() {
        return Ok(Completion::ignored_with("no file system may be mounted here"));
    }
    let printed = fs::read_to_string(place.path("out"))?;
    let lines = texts(&printed, None);
    let refused = lines.iter().rposition(|line| line.starts_with("refused, not acknowledged: "));
    let refused = refused.ok_or("nothing was refused")?;
    let is_acknowledged = |line: &&String| line.contains(" is acknowledged: ");
    let (before, after) = lines.split_at(refused);
    let (before, after) = (
        before.iter().filter(|line| is_acknowledged(line)).count(),
        after.iter().filter(|line| is_acknowledged(line)).count(),
    );
    println!("\na full disk: {before} acknowledged before, {after} after it has grown");
    same(&place.stored()?, &place.acknowledged()?, "a full disk")?;
    if status.success() && before > 100 && after > 100 {
        Ok(Completion::Completed)
    } else {
        Err(format!("ended with {status}").into())
    }
}

/// The number and the value of a reading.
type Reading = (u64, String);

/// A log of five readings of which none is delivered.
fn five_readings() -> Result<Vec<u8>, Failed> {
    let place = Site::new()?;
    let nowhere = ["--readings", "5", "--every", "0.01", "--cloud", "127.0.0.1:1", "--grace", "0"];
    succeeded(&place.run(&nowhere)?, &["not delivered: 5; they are in gateway.log"])?;
    let log = fs::read(place.path("gateway.log"))?;
    let records = Records::of(&log);
    same(&records.readings, &place.acknowledged()?, "the log")?;
    if records.ends.last() == Some(&log.len()) { Ok(log) } else { Err("a tail".into()) }
}

/// What a log holds, read without the lesson's own code.
struct Records {
    readings: Vec<Reading>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Records {
    fn of(log: &[u8]) -> Self {
        let (mut readings, mut ends) = (Vec::new(), Vec::new());
        let mut at = MAGIC.len();
        while let Some(head) = log.get(at..at + HEAD) {
            let end = at + HEAD + usize::from(head[0]) + 256 * usize::from(head[1]);
            let Some(text) = log.get(at + HEAD..end) else { break };
            readings.extend(reading(&String::from_utf8_lossy(text)));
            ends.push(end);
            at = end;
        }
        Self { readings, ends }
    }
}

/// The directory in which a gateway runs.
struct Site {
    directory: TempDir,
}

impl Site {
    fn new() -> io::Result<Self> {
        Ok(Self { directory: TempDir::new()? })
    }

    fn with(name: &str, contents: &[u8]) -> io::Result<Self> {
        let place = Self::new()?;
        fs::write(place.path(name), contents)?;
        Ok(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = guarded(&PROGRAMS[program]);
        command.args(args).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Starts one in the background; what it prints is kept in a file, which outlives it.
    fn spawn(&self, program: &str, args: &[&str]) -> Result<Running, Failed> {
        let out = OpenOptions::new().create(true).append(true).open(self.path("out"))?;
        Ok(Running(self.command(program, args).stdout(out).spawn()?))
    }

    /// Runs a gateway to its end.
    fn run(&self, args: &[&str]) -> Result<Output, Failed> {
        let output = self.command(LESSON, args).output()?;
        let mut out = OpenOptions::new().create(true).append(true).open(self.path("out"))?;
        out.write_all(&output.stdout)?;
        Ok(output)
    }

    /// What the gateways have acknowledged, in the order in which they did.
    fn acknowledged(&self) -> Result<Vec<Reading>, Failed> {
        let printed = fs::read_to_string(self.path("out")).unwrap_or_default();
        let lines = texts(&printed, None);
        let words = lines.iter().filter_map(|line| line.strip_prefix("reading "));
        let words = words.filter(|words| words.contains(" is acknowledged: "));
        Ok(words.filter_map(|words| reading(&words.replace("is acknowledged: ", ""))).collect())
    }

    /// What the cloud has.
    fn stored(&self) -> Result<Vec<Reading>, Failed> {
        let stored = fs::read_to_string(self.path("cloud.txt")).unwrap_or_default();
        // A cloud that was killed leaves a torn line until it is started again.
        let whole = stored.rfind('\n').map_or("", |end| &stored[..end]);
        let line = |line| reading(line).ok_or_else(|| format!("the cloud has `{line}`").into());
        whole.lines().map(line).collect()
    }

    fn note_what_is_left(&self, sum: &mut Figures) -> Result<(), Failed> {
        sum.kills += 1;
        let log = fs::read(self.path("gateway.log")).unwrap_or_default();
        let records = Records::of(&log);
        let end = records.ends.last().copied().unwrap_or(MAGIC.len());
        sum.torn += usize::from(log.len() > end);
        let last = |readings: Vec<Reading>| readings.last().map_or(0, |(number, _)| *number);
        let acknowledged = last(self.acknowledged()?);
        let stored = last(self.stored()?);
        let position = fs::read(self.path("gateway.log.position")).unwrap_or_default();
        let position =
            String::from_utf8_lossy(position.get(HEAD..).unwrap_or_default()).into_owned();
        let position = reading(&position).map_or(0, |(number, _)| number);
        if position > stored {
            return Err(format!("the position is {position}, the cloud has {stored}").into());
        }
        sum.not_acknowledged += usize::from(last(records.readings) > acknowledged);
        sum.waiting += usize::from(acknowledged > stored);
        sum.behind += usize::from(stored > position);
        Ok(())
    }

    /// Holds what the cloud has against what was acknowledged.
    fn compare(&self, sum: &mut Figures) -> Result<(), Failed> {
        // A torn tail that stayed would look like damage to the uplink or to the next start.
        let printed = fs::read_to_string(self.path("out"))?;
        let is_trouble = |line: &&str| line.contains("has stopped") || line.contains("was damaged");
        if let Some(line) = printed.lines().find(is_trouble) {
            return Err(format!("after a kill: {line}").into());
        }
        let (acknowledged, stored) = (self.acknowledged()?, self.stored()?);
        let by_number: BTreeMap<_, _> = stored.iter().cloned().collect();
        let is_lost = |(number, value): &&Reading| by_number.get(number) != Some(value);
        sum.acknowledged += acknowledged.len();
        sum.lost += acknowledged.iter().filter(is_lost).count();
        sum.doubled += stored.len() - by_number.len();
        if !stored.iter().map(|(number, _)| *number).eq(1..=stored.len() as u64) {
            return Err("the cloud has not every number in its order".into());
        }
        Ok(())
    }
}

/// Killed when it is dropped, also where a test has failed.
struct Running(Child);

impl Running {
    fn kill(&mut self) -> Result<(), Failed> {
        self.0.kill()?;
        let status = self.0.wait()?;
        if status.signal() == Some(9) { Ok(()) } else { Err(format!("it {status}").into()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads `7 20.1`.
fn reading(text: &str) -> Option<Reading> {
    let (number, value) = text.split_once(' ')?;
    Some((number.parse().ok()?, value.to_owned()))
}

/// Exit code 0, nothing on stderr, and among the lines those that begin so, each once.
fn succeeded(output: &Output, told: &[&str]) -> Result<(), Failed> {
    let out = String::from_utf8_lossy(&output.stdout);
    let lines = texts(&out, None);
    let is_told = |text: &&str| lines.iter().filter(|line| line.contains(*text)).count() == 1;
    if output.status.success() && output.stderr.is_empty() && told.iter().all(is_told) {
        Ok(())
    } else {
        let err = String::from_utf8_lossy(&output.stderr);
        Err(format!("expected {told:?} and success: {}\n{out}{err}", output.status).into())
    }
}

/// Exit code 1 and this on stderr alone.
fn refused(output: &Output, told: &str) -> Result<(), Failed> {
    let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(1) && out.is_empty() && err == told {
        Ok(())
    } else {
        Err(format!("expected {told:?} and exit code 1: {err:?}, {}", output.status).into())
    }
}

fn same(found: &[Reading], expected: &[Reading], what: &str) -> Result<(), Failed> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, found {found:?}").into())
    }
}
