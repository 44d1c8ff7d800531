//! The cloud: a stand-in for a service far away. Stores each reading once.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::info;

/// No line is longer: a head of the log says its length in two bytes.
const LONGEST: u64 = 1 << 16;

// ANCHOR: store
/// What the cloud has: lines such as `shed 7 18.9`.
pub struct Store {
    file: File,
    /// Where the last line ends that was answered.
    end: u64,
    /// The last number of each sensor.
    last: HashMap<String, u64>,
}

impl Store {
    /// Has them durable before it returns the last sensor's last number.
    fn add(&mut self, lines: &[String]) -> io::Result<u64> {
        let (mut new, mut last, mut answer) = (String::new(), self.last.clone(), 0);
        for line in lines {
            let (sensor, number) = key(line).ok_or(ErrorKind::InvalidData)?;
            let stored = last.entry(sensor.to_owned()).or_default();
            if number > *stored {
                new += line;
                *stored = number;
            } else {
                info!("reading {number} was stored before");
            }
            answer = *stored;
        }
        // What an earlier call has begun and could not finish.
        self.file.set_len(self.end)?;
        self.file.write_all(new.as_bytes())?;
        self.file.sync_data()?;
        self.end += new.len() as u64;
        self.last = last;
        Ok(answer)
    }
    // ANCHOR_END: store

    pub fn open(path: &Path) -> Result<Mutex<Self>, String> {
        let store = Self::read(path);
        store.map_err(|error| format!("cannot use {}: {error}", path.display()))
    }

    fn read(path: &Path) -> io::Result<Mutex<Self>> {
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::other("another cloud has it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // It was cut off in the middle of a line.
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        let end = text.len() as u64;
        file.set_len(end)?;
        file.sync_all()?;
        // A new name is durable when its directory is.
        File::open(".")?.sync_all()?;
        let keys = text.lines().filter_map(key);
        let last =
            keys.map(|(sensor, number)| (sensor.to_owned(), number)).collect();
        Ok(Mutex::new(Self { file, end, last }))
    }
}

// ANCHOR: talk
/// Takes what one gateway sends until it hangs up. The answer `7` says that all up
/// to 7 are stored. While the cloud is `down`, it hangs up itself.
pub fn talk(
    gateway: TcpStream,
    store: &Mutex<Store>,
    start: Instant,
    down: &Range<Duration>,
) -> io::Result<()> {
    let mut gateway = BufReader::new(gateway);
    loop {
        let mut lines = Vec::new();
        while lines.is_empty() || gateway.buffer().contains(&b'\n') {
            let mut line = String::new();
            gateway.by_ref().take(LONGEST).read_line(&mut line)?;
            // A line without its end is no reading: the gateway was cut off.
            if !line.ends_with('\n') || down.contains(&start.elapsed()) {
                return Ok(());
            }
            lines.push(line);
        }
        // A panic has left what `add` leaves after an error.
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = store.add(&lines)?;
        drop(store);
        gateway.get_mut().write_all(format!("{answer}\n").as_bytes())?;
    }
}
// ANCHOR_END: talk

/// Who has read it, and its number there.
fn key(line: &str) -> Option<(&str, u64)> {
    let (sensor, rest) = line.split_once(' ')?;
    Some((sensor, rest.split_once(' ')?.0.parse().ok()?))
}
