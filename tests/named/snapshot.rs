//! The lesson warm-start under SIGKILL: while it saves one snapshot after the other it is killed
//! at many moments, and the file is a whole one each time. Then files that are damaged, and the lesson's
//! service where there are few descriptors.
//!
//! Takes less than a minute. Needs strace for one test, which is listed as ignored without it.
//! `SNAPSHOT_SEED` repeats a run's moments.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use named::self_check::guarded;
use named::tools::{as_the_chapter_tells, ended_within, needs, one_at_a_time, seeded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use workbook::programs::{self, Programs};
use workbook::promise::Profile;
use workbook::promise::judge::texts;
use workbook::workbook::Workbook;

const LESSON: &str = "warm-start";
const FILE: &str = "index.snapshot";

/// How many kills a series makes.
const KILLS: usize = 100;

/// When a kill comes, in microseconds after the program has read the snapshot.
const MOMENTS: Range<u64> = 0..40_000;

/// How many numbers a generation has.
const NUMBERS: usize = 1 << 18;

static PROGRAMS: LazyLock<Programs> =
    LazyLock::new(|| programs::build(&Workbook::home(), [LESSON], Profile::Dev).expect("cargo"));

fn program(name: &str) -> &'static Path {
    PROGRAMS.get(name).expect("the lesson compiles")
}

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("killed::replace", killed_while_it_replaces),
        Trial::test("killed::in-place", killed_while_it_overwrites),
        Trial::test("damaged::cut", cut_at_every_length),
        Trial::test("damaged::flipped", every_bit_flipped),
        Trial::test("damaged::foreign", foreign_files),
        Trial::test("damaged::twice", damaged_twice),
        Trial::test("link", a_link),
        Trial::test("rival", two_at_once),
        Trial::test("too-large", file_too_large),
        Trial::ignorable_test("synced", needs("strace", each_generation_is_synced)),
        Trial::test("descriptors::full", table_full),
        Trial::test("descriptors::few", few_descriptors),
    ];
    one_at_a_time(trials, || {
        LazyLock::force(&PROGRAMS);
    })
}

fn killed_while_it_replaces() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    let mut dice = seeded("SNAPSHOT_SEED");
    let (mut saved, mut unfinished, mut torn, mut lost) = (0, 0, 0, 0);
    let (mut left, mut leftovers) = (None, 0);
    for kill in 1..=KILLS {
        let run = shelf.killed("replace", Duration::from_micros(dice.u64(MOMENTS)))?;
        // The program has found what this test had found, and nothing else is there any more.
        if run.loaded != left || run.removed != leftovers || !run.stderr.is_empty() {
            return Err(format!("before kill {kill} were {left:?} and {leftovers}: {run:?}").into());
        }
        leftovers = shelf.unfinished()?;
        left = shelf.generation()?;
        let newest = run.saved.last().copied().or(run.loaded);
        saved += run.saved.len();
        unfinished += usize::from(leftovers > 0);
        torn += usize::from(left.is_none() && shelf.path(FILE).exists());
        lost += usize::from(left < newest);
        // At most one more than was said: it was complete when the kill came.
        if leftovers > 1 || left > Some(newest.unwrap_or(0) + 1) {
            return Err(format!("after kill {kill} are {left:?} and {leftovers}: {run:?}").into());
        }
    }
    as_the_chapter_tells(
        LESSON,
        "killed-replace",
        &[
            format!("replace: {KILLS} kills"),
            format!("replace: {saved} generations saved"),
            format!("replace: {unfinished} kills left an unfinished file beside it"),
            format!("replace: {torn} kills left a torn file"),
            format!("replace: {lost} kills lost a generation that was saved"),
        ],
    )
}

/// The same series where the mistake is made, to see that it can be seen.
fn killed_while_it_overwrites() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    let mut dice = seeded("SNAPSHOT_SEED");
    let (mut saved, mut empty, mut torn, mut lost) = (0, 0, 0, 0);
    let mut aside = None;
    for kill in 1..=KILLS {
        let run = shelf.killed("in-place", Duration::from_micros(dice.u64(MOMENTS)))?;
        // The start after a torn file says so, and keeps what is left of it.
        if let Some(torn) = aside {
            let name = format!("{FILE}.damaged-1");
            if run.loaded.is_some()
                || run.stderr.lines().count() != 1
                || fs::read(shelf.path(&name))? != torn
            {
                return Err(format!("before kill {kill} was a torn file: {run:?}").into());
            }
            fs::remove_file(shelf.path(&name))?;
        }
        let left = shelf.generation()?;
        saved += run.saved.len();
        aside = match fs::read(shelf.path(FILE)) {
            Ok(bytes) if left.is_none() => Some(bytes),
            _ => None,
        };
        torn += usize::from(aside.is_some());
        empty += usize::from(aside.as_ref().is_some_and(Vec::is_empty));
        lost += usize::from(left < run.saved.last().copied().or(run.loaded));
    }
    as_the_chapter_tells(
        LESSON,
        "killed-in-place",
        &[
            format!("in place: {KILLS} kills"),
            format!("in place: {saved} generations saved"),
            format!("in place: {torn} kills left a torn file"),
            format!("in place: {empty} of these were empty"),
            format!("in place: {lost} kills lost a generation that was saved"),
        ],
    )
}

/// A directory in which a snapshot is kept.
struct Shelf(TempDir);

/// What a program did until it was killed.
#[derive(Debug)]
struct Life {
    removed: usize,
    loaded: Option<u32>,
    saved: Vec<u32>,
    stderr: String,
}

impl Shelf {
    fn new() -> Result<Self, Failed> {
        Ok(Self(TempDir::new()?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = guarded(program("warm-start-snapshot"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Lets the program save one generation after the other until it is killed.
    fn killed(&self, way: &str, moment: Duration) -> Result<Life, Failed> {
        let mut command = self.command(&[way, "0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        let mut printed = String::new();
        while stdout.read_line(&mut printed)? > 0 {
            if printed.ends_with(" is loaded\n") || printed.ends_with(" to be built anew\n") {
                thread::sleep(moment);
                break;
            }
        }
        process.kill()?;
        stdout.read_to_string(&mut printed)?;
        let output = process.wait_with_output()?;
        let stderr = String::from_utf8(output.stderr)?;
        if output.status.signal() != Some(9) {
            return Err(format!("it ended with {}: {stderr}", output.status).into());
        }
        let lines = texts(&printed, None);
        let generations = |end: &str| -> Vec<u32> {
            let words = lines.iter().filter_map(|line| line.strip_suffix(end));
            words.filter_map(|words| words.strip_prefix("generation ")?.parse().ok()).collect()
        };
        Ok(Life {
            removed: lines.iter().filter(|line| line.ends_with(" file is removed")).count(),
            loaded: generations(" is loaded").first().copied(),
            saved: generations(" is saved"),
            stderr,
        })
    }

    /// How many files there are beside the snapshot.
    fn unfinished(&self) -> Result<usize, Failed> {
        let names: Result<Vec<_>, _> =
            fs::read_dir(self.0.path())?.map(|entry| Ok::<_, Failed>(entry?.file_name())).collect();
        Ok(names?.iter().filter(|name| *name != FILE).count())
    }

    /// Which generation the snapshot has, if it is nothing but this one.
    fn generation(&self) -> Result<Option<u32>, Failed> {
        let Ok(bytes) = fs::read(self.path(FILE)) else { return Ok(None) };
        let first = bytes.get(20..24).and_then(|bytes| bytes.try_into().ok());
        let Some(generation) = first.map(u32::from_le_bytes) else { return Ok(None) };
        let is_whole = bytes == snapshot(&vec![generation; NUMBERS]);
        Ok(is_whole.then_some(generation))
    }

    fn check(&self) -> Result<(Option<i32>, String, String), Failed> {
        let output = self.command(&["check"]).output()?;
        let printed = String::from_utf8(output.stdout)?;
        let printed = texts(&printed, None).join("\n");
        Ok((output.status.code(), printed, String::from_utf8(output.stderr)?))
    }

    /// A damaged file is named in one line, kept under another name, and done without.
    fn keeps_aside(bytes: &[u8]) -> Result<String, Failed> {
        let shelf = Self::new()?;
        fs::write(shelf.path(FILE), bytes)?;
        let (code, printed, complaint) = shelf.check()?;
        let what = complaint.strip_prefix("index.snapshot is damaged: ");
        let what =
            what.and_then(|what| what.strip_suffix("; it is kept as index.snapshot.damaged-1\n"));
        let aside = fs::read(shelf.path("index.snapshot.damaged-1"));
        let anew = "there is no snapshot: the index has to be built anew";
        match what {
            Some(what)
                if code == Some(0)
                    && printed == anew
                    && !what.contains('\n')
                    && aside.is_ok_and(|aside| aside == bytes)
                    && !shelf.path(FILE).exists() =>
            {
                Ok(what.to_owned())
            }
            _ => Err(format!("{code:?}, {printed:?}, {complaint:?}").into()),
        }
    }

    /// A file that is not ours is named in one line, and stays as it is.
    fn refuses(bytes: &[u8]) -> Result<String, Failed> {
        let shelf = Self::new()?;
        fs::write(shelf.path(FILE), bytes)?;
        let (code, printed, complaint) = shelf.check()?;
        let what = complaint.strip_prefix("cannot use index.snapshot: it ");
        match what.and_then(|what| what.strip_suffix('\n')) {
            Some(what)
                if code == Some(1)
                    && printed.is_empty()
                    && !what.contains('\n')
                    && fs::read(shelf.path(FILE))? == bytes
                    && shelf.unfinished()? == 0 =>
            {
                Ok(what.to_owned())
            }
            _ => Err(format!("{code:?}, {printed:?}, {complaint:?}").into()),
        }
    }
}

/// A snapshot as the lesson's documentation describes it, made without the lesson's code.
fn snapshot(numbers: &[u32]) -> Vec<u8> {
    let body: Vec<_> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let fields = [1, body.len() as u32, crc32fast::hash(&body)];
    let header = fields.iter().flat_map(|field| field.to_le_bytes());
    b"vectors\n".iter().copied().chain(header).chain(body.iter().copied()).collect()
}

const SMALL: [u32; 3] = [7, 8, 9];

fn cut_at_every_length() -> Result<(), Failed> {
    let whole = snapshot(&SMALL);
    let shelf = Shelf::new()?;
    fs::write(shelf.path(FILE), &whole)?;
    let found = shelf.check()?;
    if found != (Some(0), "generation 7 is loaded".to_owned(), String::new()) {
        return Err(format!("a whole file: {found:?}").into());
    }
    for length in 0..whole.len() {
        let what = Shelf::keeps_aside(&whole[..length])?;
        let number = if length < 20 { length } else { length - 20 };
        if !what.contains(&format!(" {number} bytes")) {
            return Err(format!("{length} of {} bytes: {what}", whole.len()).into());
        }
    }
    let longer = [&whole[..], b"\0"].concat();
    let what = Shelf::keeps_aside(&longer)?;
    if what != "after its header are 13 bytes, not 12" {
        return Err(what.into());
    }
    println!("\n{} lengths, and one more than there are", whole.len());
    Ok(())
}

fn every_bit_flipped() -> Result<(), Failed> {
    let whole = snapshot(&SMALL);
    for (byte, bit) in (0..whole.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << bit;
        let (what, expected) = match byte {
            0..8 => (Shelf::refuses(&flipped)?, "is no snapshot of an index"),
            8..12 => (Shelf::refuses(&flipped)?, "has format "),
            12..16 => (Shelf::keeps_aside(&flipped)?, "after its header are 12 bytes, not "),
            _ => (Shelf::keeps_aside(&flipped)?, "its checksum does not match"),
        };
        if !what.starts_with(expected) {
            return Err(format!("bit {bit} of byte {byte}: {what}").into());
        }
    }
    println!("\n{} bits", whole.len() * 8);
    Ok(())
}

fn foreign_files() -> Result<(), Failed> {
    let archive = b"PK\x03\x04 and so on".as_slice();
    for foreign in [b"x".as_slice(), b"vector\n", b"vectorsX", b"a text\n", archive, &[0; 64]] {
        let what = Shelf::refuses(foreign)?;
        if what != "is no snapshot of an index" {
            return Err(format!("{foreign:?}: {what}").into());
        }
    }
    Ok(())
}

/// The first damaged file is not overwritten by the second.
fn damaged_twice() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    for number in 1..=3_u8 {
        fs::write(shelf.path(FILE), &b"vectors\n"[..usize::from(number)])?;
        shelf.check()?;
    }
    for number in 1..=3_u8 {
        let aside = fs::read(shelf.path(&format!("{FILE}.damaged-{number}")))?;
        if aside != b"vectors\n"[..usize::from(number)] {
            return Err(format!("damaged-{number} is {aside:?}").into());
        }
    }
    Ok(())
}

/// A rename would replace a link; what it leads to would grow old.
fn a_link() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    fs::write(shelf.path("elsewhere"), snapshot(&SMALL))?;
    symlink("elsewhere", shelf.path(FILE))?;
    let found = shelf.check()?;
    let complaint = "cannot use index.snapshot: it is no plain file\n";
    if found == (Some(1), String::new(), complaint.to_owned()) && shelf.path(FILE).is_symlink() {
        Ok(())
    } else {
        Err(format!("{found:?}").into())
    }
}

/// Else the second would take what the first has not finished for a leftover.
fn two_at_once() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    let mut first = shelf.command(&["replace", "0"]).stdout(Stdio::piped()).spawn()?;
    let mut stdout = BufReader::new(first.stdout.take().ok_or("no stdout")?);
    stdout.read_line(&mut String::new())?;
    let second = shelf.check();
    // The lock is on the directory, so another name does not help.
    let neighbour = shelf.command(&["check", "0", "other.snapshot"]).output();
    first.kill()?;
    first.wait()?;
    let (code, printed, complaint) = second?;
    let expected = "cannot use index.snapshot: another process is at work there\n";
    if code != Some(1) || !printed.is_empty() || complaint != expected {
        return Err(format!("{code:?}, {printed:?}, {complaint:?}").into());
    }
    let neighbour = String::from_utf8(neighbour?.stderr)?;
    if neighbour == "cannot use other.snapshot: another process is at work there\n" {
        Ok(())
    } else {
        Err(neighbour.into())
    }
}

/// Files cannot grow beyond a limit: the old snapshot stays, and nothing beside it.
fn file_too_large() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    let whole = snapshot(&SMALL);
    fs::write(shelf.path(FILE), &whole)?;
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 500; exec \"$0\" replace 0"])
        .arg(program("warm-start-snapshot"))
        .current_dir(shelf.0.path())
        .output()?;
    let complaint = String::from_utf8(output.stderr)?;
    let expected = "cannot use index.snapshot: File too large (os error 27)\n";
    if output.status.code() == Some(1)
        && complaint == expected
        && fs::read(shelf.path(FILE))? == whole
        && shelf.unfinished()? == 0
    {
        Ok(())
    } else {
        Err(format!("{}, {complaint:?}", output.status).into())
    }
}

/// A power cut cannot be tried here. That the kernel was asked to put first the bytes on the disk
/// and then the name, and has said that it did, before a generation is called saved, can.
fn each_generation_is_synced() -> Result<(), Failed> {
    let shelf = Shelf::new()?;
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-e", "trace=write,fsync,/^rename", "-o", "trace"])
        .arg(program("warm-start-snapshot"))
        .args(["replace", "50"])
        .current_dir(shelf.0.path())
        .stdout(Stdio::null())
        .status()?;
    let (mut done, mut right, mut wrong) = (Vec::new(), 0, 0);
    for call in fs::read_to_string(shelf.path("trace"))?.lines() {
        if call.contains("fsync(") && call.ends_with(" = 0") {
            done.push(if call.contains("/.index.snapshot.new-") { "bytes" } else { "name" });
        } else if call.contains(" rename") && call.ends_with(" = 0") {
            done.push("rename");
        } else if call.contains(" is saved") {
            let is_right = done == ["bytes", "rename", "name"];
            *(if is_right { &mut right } else { &mut wrong }) += 1;
            done.clear();
        }
    }
    println!("\n{right} generations saved in this order, {wrong} in another");
    if status.success() && right > 2 && wrong == 0 {
        Ok(())
    } else {
        Err("0 in another expected".into())
    }
}

/// The lesson's service, with so many descriptors.
struct Service {
    process: Child,
    /// Kept open, so that it can print.
    _stdout: BufReader<ChildStdout>,
    port: Option<u16>,
}

impl Service {
    fn start(descriptors: u32) -> Result<Self, Failed> {
        let mut process = guarded("sh")
            .args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" 0")])
            .arg(program(LESSON))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let port = line.trim_end().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Ok(Self { process, _stdout: stdout, port })
    }

    /// What it answers to `GET path`, if it does so within this time.
    fn ask(&self, path: &str, time: Duration) -> io::Result<String> {
        let port = self.port.ok_or(io::ErrorKind::NotConnected)?;
        let mut service = TcpStream::connect(("127.0.0.1", port))?;
        service.set_read_timeout(Some(time))?;
        let head = "Host: localhost\r\nConnection: close";
        service.write_all(format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        service.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Tells it to stop.
    fn stop(mut self) -> Result<(), Failed> {
        kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM)?;
        match ended_within(&mut self.process, Duration::from_secs(2))? {
            Some(status) if status.success() => Ok(()),
            status => Err(format!("told to stop: {status:?}").into()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// While the table is full, nobody new is answered; when there are descriptors again, everybody is.
fn table_full() -> Result<(), Failed> {
    let service = Service::start(24)?;
    let port = service.port.ok_or("it does not listen")?;
    let clients: io::Result<Vec<_>> =
        (0..30).map(|_| TcpStream::connect(("127.0.0.1", port))).collect();
    let clients = clients?;
    if let Ok(answer) = service.ask("/health", Duration::from_secs(2)) {
        return Err(format!("the table was not full: {answer}").into());
    }
    drop(clients);
    let again = Instant::now();
    for path in ["/health", "/nearest/tea"] {
        let answer = service.ask(path, Duration::from_secs(5))?;
        if !answer.starts_with("HTTP/1.1 200 ") {
            return Err(format!("{path}: {answer}").into());
        }
    }
    println!(
        "\nanswered {:.1} s after there were descriptors again",
        again.elapsed().as_secs_f64()
    );
    service.stop()
}

/// A service that cannot serve says so and ends: it does not live on in silence.
fn few_descriptors() -> Result<(), Failed> {
    let (mut refused, mut answered, mut full) = (0, 0, 0);
    for descriptors in 4..=16 {
        let mut service = Service::start(descriptors)?;
        let Some(status) = ended_within(&mut service.process, Duration::from_millis(500))? else {
            match service.ask("/health", Duration::from_secs(1)) {
                Ok(answer) if answer.ends_with("alive") => answered += 1,
                // It has what it needs itself, and none for a connection.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => full += 1,
                answer => return Err(format!("{descriptors} descriptors: {answer:?}").into()),
            }
            service.stop()?;
            continue;
        };
        let mut complaint = String::new();
        service.process.stderr.take().ok_or("no stderr")?.read_to_string(&mut complaint)?;
        // Where tokio panics, its message comes before.
        let why = complaint.lines().last().unwrap_or_default();
        if status.code() != Some(1) || !why.starts_with("cannot serve on port 0: ") {
            return Err(format!("{descriptors} descriptors: {status}, {complaint}").into());
        }
        refused += 1;
    }
    println!(
        "\n{answered} times it answered, {refused} times it refused, {full} times it was full"
    );
    if answered > 0 && refused > 0 && full <= 1 {
        Ok(())
    } else {
        Err("it is full with one number at most".into())
    }
}
