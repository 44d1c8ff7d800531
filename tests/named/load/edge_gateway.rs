//! With a cloud that refuses, drips, hangs, forgets to answer and answers twice, nothing that was acknowledged is
//! lost or doubled, and the sensor's side never waits for the cloud.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use libtest_mimic::Failed;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::Counts;
use crate::service::Service;
use crate::storm::Over;

const LESSON: &str = "edge-gateway";

/// How long the gateway waits for its uplink when it is told to stop, and how much later it may have ended.
const GRACE: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(1);

/// How long it may take with a cloud that is well again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often those who wait look whether the trial is over.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Clone, Copy)]
enum Mood {
    Well,
    Refuses,
    /// Answers a byte at a time, slower than anybody has patience.
    Drips,
    Hangs,
    /// Stores, and hangs up without a word.
    Forgets,
    Twice,
}

/// Where the gateway delivers to: a reading counts once, by its sensor and number.
struct Cloud {
    listener: TcpListener,
    stored: Mutex<BTreeMap<String, String>>,
    /// A number that came with two values.
    changed: Mutex<Option<String>>,
    is_well: AtomicBool,
    is_over: AtomicBool,
}

pub fn trial(dice: &mut Rng) -> Result<Counts, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    let cloud = Cloud {
        listener,
        stored: Mutex::default(),
        changed: Mutex::default(),
        is_well: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let _over = Over(&cloud.is_over);
        let mut moods = dice.fork();
        let cloud = &cloud;
        let serve = move || cloud.serve(&mut moods);
        thread::Builder::new().name("cloud".to_owned()).spawn_scoped(scope, serve)?;
        cloud.deliver(&address, dice)
    })
}

impl Cloud {
    /// A gateway is told to stop in the middle, and started again with a cloud that is well.
    fn deliver(&self, address: &str, dice: &mut Rng) -> Result<Counts, Failed> {
        let grace = GRACE.as_secs().to_string();
        let many = ["--cloud", address, "--readings", "400", "--every", "0.02", "--grace", &grace];
        let mut gateway = Service::start_in(TempDir::new()?, LESSON, &many)?;
        thread::sleep(Duration::from_millis(dice.u64(500..6000)));
        gateway.signal(Signal::SIGTERM)?;
        let status = gateway.ended_within(GRACE + SLACK)?;
        let acknowledged = acknowledged(&gateway.logged());
        if !status.success() || gateway.stdout().contains("no answer to reading") {
            return Err(format!("{status}:\n{}{}", gateway.stdout(), gateway.stderr()).into());
        }

        self.is_well.store(true, Ordering::Relaxed);
        let rest = ["--cloud", address, "--readings", "0", "--grace", "30"];
        let mut gateway = Service::start_in(gateway.into_place(), LESSON, &rest)?;
        let status = gateway.ended_within(PATIENCE)?;
        if !status.success() || !gateway.logged().iter().any(|line| line == "all is delivered") {
            return Err(format!("{status}:\n{}{}", gateway.stdout(), gateway.stderr()).into());
        }
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stored = |(number, value): &&(u64, String)| {
            stored
                .iter()
                .any(|(key, stored)| key.ends_with(&format!(" {number}")) && stored == value)
        };
        if let Some((number, value)) = acknowledged.iter().find(|reading| !is_stored(reading)) {
            return Err(format!("reading {number} is acknowledged, {value}, and lost").into());
        }
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = &*changed {
            return Err(format!("two readings have one number: {changed}").into());
        }
        Ok(vec![("{} readings were acknowledged", acknowledged.len())])
    }

    fn serve(&self, moods: &mut Rng) {
        thread::scope(|scope| {
            while !self.is_over.load(Ordering::Relaxed) {
                let Ok((stream, _)) = self.listener.accept() else {
                    thread::sleep(LOOK);
                    continue;
                };
                let mood = match self.is_well.load(Ordering::Relaxed) {
                    true => Mood::Well,
                    false => mood(moods),
                };
                // A gateway that hangs up is what this is about; and one that finds nobody asks again.
                let talk = move || self.talk(stream, mood).unwrap_or_default();
                let builder = thread::Builder::new().name("connection".to_owned());
                let _ = builder.spawn_scoped(scope, talk);
            }
        });
    }

    fn talk(&self, stream: TcpStream, mood: Mood) -> io::Result<()> {
        if matches!(mood, Mood::Refuses) {
            return Ok(());
        }
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(LOOK))?;
        let mut answers = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while !self.is_over.load(Ordering::Relaxed) {
            match lines.read_line(&mut line) {
                Ok(0) => break,
                Ok(_) if line.ends_with('\n') => {}
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            if matches!(mood, Mood::Hangs) {
                line.clear();
                continue;
            }
            let Some((key, value)) = line.trim_end().rsplit_once(' ') else { break };
            self.store(key, value);
            let number = key.rsplit(' ').next().unwrap_or_default();
            let answer = format!("{number}\n");
            match mood {
                Mood::Forgets => break,
                Mood::Drips => {
                    for byte in answer.bytes() {
                        thread::sleep(Duration::from_millis(700));
                        answers.write_all(&[byte])?;
                    }
                }
                Mood::Twice => answers.write_all(answer.repeat(2).as_bytes())?,
                _ => answers.write_all(answer.as_bytes())?,
            }
            line.clear();
        }
        Ok(())
    }

    fn store(&self, key: &str, value: &str) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let before = stored.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        if before != value {
            let changed = format!("{key}: {before} and {value}");
            *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(changed);
        }
    }
}

fn mood(dice: &mut Rng) -> Mood {
    let all = [Mood::Well, Mood::Refuses, Mood::Drips, Mood::Hangs, Mood::Forgets, Mood::Twice];
    dice.choice(all).unwrap_or(Mood::Well)
}

/// The numbers and values of `reading 7 is acknowledged: 18.9`.
fn acknowledged(lines: &[String]) -> Vec<(u64, String)> {
    let reading = |line: &String| {
        let (number, value) = line.strip_prefix("reading ")?.split_once(" is acknowledged: ")?;
        Some((number.parse().ok()?, value.to_owned()))
    };
    lines.iter().filter_map(reading).collect()
}
