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
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use named::self_check::guarded;
use named::tools::{as_the_chapter_tells, ended_within, needs, one_at_a_time, seeded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
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

/// The name of the sensor whose readings these are.
const SENSOR: &str = "shed";

/// How long a sensor waits for an answer, and a gateway for the cloud's.
const SENSOR_LIMIT: Duration = Duration::from_secs(1);
const CLOUD_LIMIT: Duration = Duration::from_secs(2);

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
        Trial::test("zeros", zeros),
        Trial::test("position-damaged", position_damaged),
        Trial::test("cloud-cut", cloud_cut),
        Trial::test("half-a-line", half_a_line),
        Trial::test("not-a-log", not_a_log),
        Trial::test("two-gateways", two_gateways),
        Trial::test("two-sensors", two_sensors),
        Trial::test("bad-clouds", bad_clouds),
        Trial::test("uplink-dead", uplink_dead),
        Trial::test("file-size", file_size),
        Trial::ignorable_test("replaced-log", needs("strace", replaced_log)),
        Trial::ignorable_test("slow-disk", needs("strace", slow_disk)),
        Trial::ignorable_test("sync-fails", needs("strace", sync_fails)),
        Trial::ignorable_test("handlers-first", needs("strace", handlers_first)),
        Trial::ignorable_test("synced", needs("strace", each_word_is_synced)),
        Trial::ignorable_test("full-disk", full_disk),
        Trial::ignorable_test("process-1", process_1),
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
            format!("{} readings were offered again and kept once", sum.again),
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
    again: usize,
}

/// A log that ends anywhere in its last record: the others are kept, and its number is free.
fn cut_at_each_byte() -> Result<(), Failed> {
    let log = five_readings()?;
    let records = Records::of(&log);
    let fourth = records.ends[3];
    for length in fourth..log.len() {
        let place = Site::with("gateway.log", &log[..length])?;
        fs::write(place.path("gateway.log.sensor"), "4\n")?;
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
/// kept, and how many are saved is told.
fn each_bit_flipped() -> Result<(), Failed> {
    let log = five_readings()?;
    let records = Records::of(&log);
    for bit in 0..log.len() * 8 {
        let mut damaged = log.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let place = Site::with("gateway.log", &damaged)?;
        let output = place.run(&["--readings", "0", "--every", "0"])?;
        let hit = records.ends.iter().filter(|end| **end <= bit / 8).count();
        let mut expected = records.readings.clone();
        if bit / 8 >= MAGIC.len() {
            expected.remove(hit);
        }
        let saved = expected.len();
        let told =
            format!("gateway.log was damaged: readings saved: {saved}; see gateway.log.damaged-1");
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

/// A power cut may leave a block of zeros behind the last record: that is no torn record, and costs
/// no reading.
fn zeros() -> Result<(), Failed> {
    let mut log = five_readings()?;
    let records = Records::of(&log);
    log.resize(4096, 0);
    let place = Site::with("gateway.log", &log)?;
    let output = place.run(&["--readings", "0", "--every", "0"])?;
    succeeded(&output, &["was damaged: readings saved: 5; see gateway.log.damaged-1"])?;
    same(&place.stored()?, &records.readings, "zeros")
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
        .map(|(number, value)| format!("{SENSOR} {number} {value}\n"))
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
    let address = place.address_of_the_cloud()?;
    for (sent, answers) in [("shed 1 20.1\nshed 2 20.", "1\n"), ("shed 2 20.2\n", "2\n")] {
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
        // The others are what the gateway printed, nothing, and its lock.
        let count = fs::read_dir(place.directory.path())?.count();
        if fs::read(place.path("gateway.log"))? != contents || count != 3 {
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
    place.wait_until(|| Ok(!place.acknowledged()?.is_empty()))?;
    refused(&place.run(&[])?, "cannot use gateway.log: another gateway has it\n")?;
    // With a log of its own it still has the other's cloud in its way.
    refused(&place.run(&["--log", "other.log"])?, "cannot use cloud.txt: another cloud has it\n")
}

/// Two gateways, each with a log and a sensor of its own, deliver to one cloud at the same time; and a
/// gateway does not take the log of another's sensor.
fn two_sensors() -> Result<(), Failed> {
    let place = Site::new()?;
    let cloud = place.spawn("edge-gateway-cloud", &["127.0.0.1:0"])?;
    let address = place.address_of_the_cloud()?;
    let of = |sensor, log| {
        let readings = ["--readings", "30", "--every", "0.01", "--grace", "30"];
        let args = [&readings[..], &["--cloud", &address, "--sensor", sensor, "--log", log]];
        place.command(LESSON, &args.concat()).stdout(Stdio::piped()).spawn()
    };
    for gateway in [of("shed", "shed.log")?, of("barn", "barn.log")?] {
        succeeded(&gateway.wait_with_output()?, &["all is delivered"])?;
    }
    drop(cloud);
    let stored = fs::read_to_string(place.path("cloud.txt"))?;
    for sensor in ["shed", "barn"] {
        let numbers = stored.lines().filter_map(|line| line.strip_prefix(sensor)?.get(1..));
        if !numbers.filter_map(reading).map(|(number, _)| number).eq(1..=30) {
            return Err(format!("not each reading of {sensor} once: {stored}").into());
        }
    }
    let other = place.run(&["--sensor", "barn", "--log", "shed.log"])?;
    refused(&other, "cannot use shed.log: it is the log of a sensor shed\n")
}

/// How a cloud treats those who connect, one after the other.
#[derive(Clone, Copy)]
enum Mood {
    HangsUp,
    /// A byte of an answer each 0.3 s, for 30 s: no read takes long.
    Drips,
    Hangs,
    /// It stores what it gets and answers all of it twice.
    AnswersTwice,
}

/// A cloud that refuses, drips, hangs and answers twice. The sensor waits for none of it, the gateway
/// no longer than its limit, and in the end the cloud has every reading once, in its order.
fn bad_clouds() -> Result<(), Failed> {
    let moods = [Mood::HangsUp, Mood::Drips, Mood::Hangs, Mood::AnswersTwice];
    let place = Site::new()?;
    let closed = TcpListener::bind("127.0.0.1:0")?;
    let address = closed.local_addr()?;
    // Nobody listens until the first readings are there.
    drop(closed);
    let readings = ["--readings", "70", "--every", "0.1", "--grace", "20"];
    let address = address.to_string();
    let args = [&readings[..], &["--cloud", &address]].concat();
    let mut gateway = place.spawn(LESSON, &args)?;
    let start = Instant::now();
    place.wait_until(|| Ok(place.acknowledged()?.len() >= 5))?;
    let listener = TcpListener::bind(&*address)?;
    let cloud = thread::Builder::new().name("cloud".into()).spawn(move || -> io::Result<_> {
        let (mut stored, mut kept) = (Vec::new(), Vec::new());
        for mood in moods {
            let (mut gateway, _) = listener.accept()?;
            let since = Instant::now();
            match mood {
                Mood::HangsUp => {}
                Mood::Drips => {
                    while since.elapsed() < Duration::from_secs(30) {
                        if gateway.write_all(b"9").is_err() {
                            break;
                        }
                        thread::sleep(Duration::from_millis(300));
                    }
                    kept.push(since.elapsed());
                }
                Mood::Hangs => {
                    gateway.set_read_timeout(Some(Duration::from_secs(30)))?;
                    io::copy(&mut gateway, &mut io::sink())?;
                    kept.push(since.elapsed());
                }
                Mood::AnswersTwice => {
                    let lines = io::BufReader::new(gateway.try_clone()?);
                    for line in io::BufRead::lines(lines) {
                        let line = line?;
                        let number = line.split(' ').nth(1).unwrap_or_default().to_owned();
                        stored.push(line);
                        gateway.write_all(format!("{number}\n{number}\n").as_bytes())?;
                    }
                }
            }
        }
        Ok((stored, kept))
    })?;
    place.wait_until(|| Ok(place.acknowledged()?.len() == 70))?;
    let sensor_done = start.elapsed();
    let status = gateway.0.wait()?;
    let (stored, kept) = cloud.join().map_err(|_| "the cloud has panicked")??;
    let acknowledged = place.acknowledged()?;
    let stored: Vec<_> = stored.iter().filter_map(|line| reading(line)).collect();
    same(&stored, &acknowledged, "a bad cloud")?;
    println!("\na cloud that drips and one that hangs were left after {kept:?}");
    // At the pace of the sensor, whatever the cloud did.
    if sensor_done > Duration::from_secs(7) + 2 * SENSOR_LIMIT {
        return Err(format!("70 readings were acknowledged only after {sensor_done:?}").into());
    }
    let left = kept.iter().all(|time| *time < CLOUD_LIMIT + Duration::from_secs(1));
    let printed = fs::read_to_string(place.path("out"))?;
    if status.success() && acknowledged.len() == 70 && left && !printed.contains("no answer to") {
        Ok(())
    } else {
        Err(format!("ended with {status}, {} acknowledged", acknowledged.len()).into())
    }
}

/// An uplink that comes upon damage ends, and the gateway with it: it acknowledges nothing that nobody
/// would deliver.
fn uplink_dead() -> Result<(), Failed> {
    let place = Site::new()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let args = ["--readings", "600", "--every", "0.1", "--cloud", &address];
    let out = File::create(place.path("out"))?;
    let mut gateway = place.command(LESSON, &args);
    let gateway = gateway.stdout(out).stderr(Stdio::piped()).spawn()?;
    place.wait_until(|| Ok(place.acknowledged()?.len() >= 3))?;
    let mut log = fs::read(place.path("gateway.log"))?;
    let third = Records::of(&log).ends[2];
    log[third - 1] ^= 1;
    OpenOptions::new().write(true).open(place.path("gateway.log"))?.write_all(&log)?;
    let (mut cloud, _) = listener.accept()?;
    cloud.write_all(b"1\n")?;
    let output = gateway.wait_with_output()?;
    refused(&output, "the uplink has stopped: invalid data\n")?;
    let acknowledged = place.acknowledged()?.len();
    if acknowledged < 200 {
        Ok(())
    } else {
        Err(format!("{acknowledged} were acknowledged, and nobody delivers them").into())
    }
}

/// Where a file may not grow, a write gives an error, and the signal kills nobody.
fn file_size() -> Result<(), Failed> {
    let place = Site::new()?;
    let cloud = place.spawn("edge-gateway-cloud", &["127.0.0.1:0"])?;
    let address = place.address_of_the_cloud()?;
    let script = "ulimit -f 1; \"$0\" \"$@\" | cat";
    let output = guarded(Path::new("bash"))
        .args(["-o", "pipefail", "-c", script])
        .arg(&PROGRAMS[LESSON])
        .args(["--readings", "80", "--every", "0.005", "--grace", "30", "--cloud", &address])
        .current_dir(place.directory.path())
        .output()?;
    drop(cloud);
    succeeded(&output, &["all is delivered"])?;
    let out = String::from_utf8_lossy(&output.stdout);
    OpenOptions::new().append(true).open(place.path("out"))?.write_all(&output.stdout)?;
    let last = place.stored()?.len();
    let told = format!("reading {} is refused: File too large (os error 27)", last + 1);
    same(&place.stored()?, &place.acknowledged()?, "a limit on files")?;
    if last > 20 && out.contains(&told) { Ok(()) } else { Err(out.into_owned().into()) }
}

/// A second gateway is about to lock when the first one finds the log damaged, and puts another in its
/// place. Had the second one what the first has replaced, it would replace the new one.
fn replaced_log() -> Result<(), Failed> {
    let mut log = five_readings()?;
    let third = Records::of(&log).ends[2];
    log[third - 1] ^= 1;
    let place = Site::with("gateway.log", &log)?;
    fs::write(place.path("gateway.log.sensor"), "5\n")?;
    let second = Command::new("strace")
        .args(["-f", "-o", "trace", "-e", "trace=flock", "-e"])
        .args(["inject=flock:delay_enter=3000000:when=1"])
        .arg(&PROGRAMS[LESSON])
        .current_dir(place.directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    place.wait_until(|| Ok(fs::read(place.path("trace")).is_ok_and(|text| !text.is_empty())))?;
    let first = place.spawn(LESSON, &["--readings", "600", "--every", "0.1"])?;
    refused(&second.wait_with_output()?, "cannot use gateway.log: another gateway has it\n")?;
    place.wait_until(|| Ok(place.acknowledged()?.len() >= 3))?;
    refused(&place.run(&[])?, "cannot use gateway.log: another gateway has it\n")?;
    drop(first);
    let kept = Records::of(&fs::read(place.path("gateway.log"))?).readings;
    let acknowledged = place.acknowledged()?;
    if acknowledged.iter().all(|reading| kept.contains(reading)) {
        Ok(())
    } else {
        Err(format!("acknowledged: {acknowledged:?}, in the log: {kept:?}").into())
    }
}

/// A disk that takes longer for a reading than the sensor waits: the sensor offers it again, and it is
/// kept under the number that it had.
fn slow_disk() -> Result<(), Failed> {
    let place = Site::new()?;
    let delay = SENSOR_LIMIT + Duration::from_millis(500);
    let inject = format!("inject=fdatasync:delay_exit={}:when=1", delay.as_micros());
    let output = Command::new("strace")
        .args(["-f", "-o", "trace", "-e", "trace=fdatasync", "-e", &inject])
        .arg(&PROGRAMS[LESSON])
        .args(["--readings", "4", "--every", "0.1", "--grace", "20"])
        .current_dir(place.directory.path())
        .output()?;
    fs::write(place.path("out"), &output.stdout)?;
    // strace may have had something to say.
    let output = Output { stderr: Vec::new(), ..output };
    let told = ["no answer to reading 1 within 1s", "reading 1 was kept before"];
    succeeded(&output, &told)?;
    same(&place.stored()?, &place.acknowledged()?, "a slow disk")?;
    if place.stored()?.len() == 3 { Ok(()) } else { Err("3 of 4 steps have a reading".into()) }
}

/// After a sync that has failed, the next one may succeed without the bytes: the record is cut off, the
/// gateway ends, and the next one writes the reading anew when it is offered again.
fn sync_fails() -> Result<(), Failed> {
    let log = five_readings()?;
    let kept = Records::of(&log).readings;
    let place = Site::with("gateway.log", &log)?;
    fs::write(place.path("gateway.log.sensor"), "5\n")?;
    let output = Command::new("strace")
        .args(["-f", "-o", "trace", "-e", "trace=fdatasync"])
        .args(["-e", "inject=fdatasync:error=EIO:when=1"])
        .arg(&PROGRAMS[LESSON])
        .args(["--readings", "1", "--every", "0.01", "--cloud", "127.0.0.1:1"])
        .current_dir(place.directory.path())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !told.contains("cannot keep readings: Input/output error (os error 5)\n") {
        return Err(format!("{}: {told}", output.status).into());
    }
    same(&Records::of(&fs::read(place.path("gateway.log"))?).readings, &kept, "a failed sync")?;
    succeeded(&place.run(&["--readings", "1", "--every", "0.01"])?, &["reading 6 is delivered"])
}

/// As process 1, a program loses each signal for which it has no handler: it has them before it has a
/// thread or a file.
fn handlers_first() -> Result<(), Failed> {
    let place = Site::new()?;
    let status = Command::new("strace")
        .args(["-f", "-o", "trace", "-e", "trace=rt_sigaction,clone,clone3,openat"])
        .arg(&PROGRAMS[LESSON])
        .args(["--readings", "0", "--every", "0"])
        .current_dir(place.directory.path())
        .stdout(Stdio::null())
        .status()?;
    let trace = fs::read_to_string(place.path("trace"))?;
    let first = |text: &str| trace.lines().position(|line| line.contains(text));
    let handlers = ["SIGTERM", "SIGINT", "SIGXFSZ"].map(|signal| {
        let set = format!("rt_sigaction({signal}, {{sa_handler=0x");
        first(&set)
    });
    let later = [first("clone3("), first("gateway.log")];
    let is_first = handlers.iter().all(|handler| later.iter().all(|later| handler < later));
    if status.success() && is_first && handlers.iter().chain(&later).all(Option::is_some) {
        Ok(())
    } else {
        Err(format!("handlers in lines {handlers:?}, thread and log in {later:?}").into())
    }
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
    let mut unsynced: BTreeMap<&str, String> = BTreeMap::new();
    let (mut acknowledged, mut answered, mut late) = (0, 0, 0);
    for line in fs::read_to_string(trace)?.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let is_answer = || {
            let text = call.split('"').nth(1)?.strip_suffix("\\n")?;
            call.contains("sendto(").then_some(text.parse::<u64>().ok()?)
        };
        let written = ["/gateway.log>", "/cloud.txt>"].into_iter().find(|name| call.contains(name));
        if let (true, Some(name)) = (call.contains("write("), written) {
            unsynced.insert(name, thread.to_owned());
        } else if call.contains("fdatasync") && call.ends_with("= 0") {
            unsynced.retain(|_, of| of != thread);
        } else if call.contains("write(") && call.contains(" is acknowledged") {
            acknowledged += 1;
            late += usize::from(unsynced.contains_key("/gateway.log>"));
        } else if is_answer().is_some() {
            answered += 1;
            late += usize::from(unsynced.contains_key("/cloud.txt>"));
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
    let refused = lines.iter().rposition(|line| line.contains(" is refused: "));
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

/// The second signal ends the gateway also as process 1, to which the default of a signal is nothing.
fn process_1() -> Result<Completion, Failed> {
    let place = Site::new()?;
    let out = File::create(place.path("out"))?;
    let unshare = guarded("unshare")
        .args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"])
        .arg(&PROGRAMS[LESSON])
        .args(["--readings", "600", "--down", "0", "600", "--grace", "60"])
        .current_dir(place.directory.path())
        .stdout(out)
        .stderr(Stdio::null())
        .spawn();
    let Ok(unshare) = unshare else { return Ok(Completion::ignored_with("there is no unshare")) };
    let mut unshare = Running(unshare);
    let printed = || fs::read_to_string(place.path("out"));
    while !printed()?.contains("is acknowledged") {
        if unshare.0.try_wait()?.is_some() {
            return Ok(Completion::ignored_with("takes the right to make a PID namespace"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    let id = unshare.0.id();
    let gateway = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    let gateway = Pid::from_raw(gateway.trim().parse()?);
    kill(gateway, Signal::SIGTERM)?;
    place.wait_until(|| Ok(printed()?.contains("I wait up to 60s")))?;
    kill(gateway, Signal::SIGTERM)?;
    match ended_within(&mut unshare.0, Duration::from_secs(5))?.and_then(|status| status.code()) {
        Some(143) => Ok(Completion::Completed),
        code => Err(format!("it ended with {code:?}, and not with 143").into()),
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

    fn wait_until(&self, is_so: impl Fn() -> Result<bool, Failed>) -> Result<(), Failed> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so()? {
            if Instant::now() > deadline {
                let printed = fs::read_to_string(self.path("out")).unwrap_or_default();
                return Err(format!("it does not come to that:\n{printed}").into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Of a cloud that was started alone.
    fn address_of_the_cloud(&self) -> Result<String, Failed> {
        let printed = || fs::read_to_string(self.path("out"));
        self.wait_until(|| Ok(printed()?.ends_with('\n')))?;
        Ok(printed()?.trim_end().rsplit(' ').next().unwrap_or_default().to_owned())
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
        sum.again += printed.lines().filter(|line| line.ends_with(" was kept before")).count();
        let (acknowledged, stored) = (self.acknowledged()?, self.stored()?);
        let acknowledged: BTreeSet<_> = acknowledged.into_iter().collect();
        // The sensor's reading of this number has this value. A reading that was kept twice shifts all
        // that follow.
        let of_the_sensor = |number: u64| {
            let tenths = number * 7 % 40;
            format!("{}.{}", 18 + tenths / 10, tenths % 10)
        };
        if let Some(wrong) = stored.iter().find(|(number, value)| *value != of_the_sensor(*number))
        {
            return Err(format!("the cloud has {wrong:?}, and the sensor took another").into());
        }
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

/// Reads `7 20.1` and `shed 7 20.1`.
fn reading(text: &str) -> Option<Reading> {
    let text = text.strip_prefix(SENSOR).map_or(text, str::trim_start);
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
