//! The uplink: carries readings from the log to the cloud, each at least once.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

use crate::log::with;
use crate::record::{HEAD, Record, length};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// How many readings share an answer.
const AT_ONCE: usize = 256;
/// A cloud that does not answer is as good as none.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer is a number.
const LONGEST_ANSWER: u64 = 32;

pub struct Uplink {
    pub log: File,
    /// Where in the log the next record begins that is to be delivered.
    pub at: u64,
    pub cloud: SocketAddr,
    pub connection: Option<BufReader<Timed>>,
    pub position: PathBuf,
    /// How many durable records are not delivered.
    pub waiting: Arc<AtomicUsize>,
}

impl Uplink {
    // ANCHOR: deliver
    /// Delivers what the log has. A word on `news` says that it has more; when
    /// nobody can send one any more, and all is delivered, this returns.
    pub fn deliver(mut self, news: &Receiver<()>) -> io::Result<()> {
        loop {
            while let count @ 1.. = self.waiting.load(Ordering::Acquire) {
                let records = self.next(count.min(AT_ONCE))?;
                self.send_until_it_is_there(&records);
                // Only now. Killed before this line, the uplink sends them again,
                // and the cloud knows their numbers.
                if let Err(error) = keep_position(&self.position, records.last()) {
                    info!("the position is not kept: {error}");
                }
                for Record { number, .. } in &records {
                    info!("reading {number} is delivered");
                }
                self.waiting.fetch_sub(records.len(), Ordering::Release);
            }
            if news.recv().is_err() {
                return Ok(());
            }
        }
    }

    // ANCHOR_END: deliver

    /// Takes as long as it takes: nobody waits for it without a limit of his own.
    fn send_until_it_is_there(&mut self, records: &[Record]) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.send(records) {
            info!("the cloud is out of reach: {error}; next try in {pause:?}");
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    // ANCHOR: send
    /// Returns when the cloud has answered that it has the last of them.
    fn send(&mut self, records: &[Record]) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        // Taken: after an error it is not used again.
        let mut cloud = match self.connection.take() {
            Some(cloud) => cloud,
            None => {
                let stream = TcpStream::connect_timeout(&self.cloud, PATIENCE)?;
                BufReader::new(Timed { stream, until })
            }
        };
        cloud.get_mut().until = until;
        let line = |record: &Record| record.text() + "\n";
        let lines: String = records.iter().map(line).collect();
        cloud.get_mut().write_all(lines.as_bytes())?;
        let last = records.last().map_or(0, |record| record.number);
        let mut answer = String::new();
        // An older answer may have come twice. A newer one comes after a loss of the
        // position: the cloud has them all.
        while !answer.trim_end().parse::<u64>().is_ok_and(|stored| stored >= last) {
            answer.clear();
            cloud.by_ref().take(LONGEST_ANSWER).read_line(&mut answer)?;
            if !answer.ends_with('\n') {
                return Err(ErrorKind::ConnectionAborted.into());
            }
        }
        self.connection = Some(cloud);
        Ok(())
    }
    // ANCHOR_END: send

    /// The next records of the log; who adds to `waiting` has made them durable.
    fn next(&mut self, count: usize) -> io::Result<Vec<Record>> {
        let record = |_| {
            let mut bytes = vec![0; HEAD];
            self.log.seek(SeekFrom::Start(self.at))?;
            self.log.read_exact(&mut bytes)?;
            let head = bytes.first_chunk();
            let text = head.and_then(length).ok_or(ErrorKind::InvalidData)?;
            bytes.resize(HEAD + text, 0);
            self.log.read_exact(&mut bytes[HEAD..])?;
            self.at += bytes.len() as u64;
            Record::read(&bytes).map_err(|_| ErrorKind::InvalidData.into())
        };
        (0..count).map(record).collect()
    }
}

// ANCHOR: timed
/// A connection with one limit for all that is read and written until then. One for
/// each call is no limit: a cloud that drips a byte a second never reaches it.
pub struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero()).ok_or(ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(bytes).map_err(|error| self.left().err().unwrap_or(error))
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes).map_err(|error| self.left().err().unwrap_or(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
// ANCHOR_END: timed

// ANCHOR: position
/// The number of the last reading of this sensor that the cloud has. Without a
/// position that can be read, everything is sent once more.
pub fn position(path: &Path, sensor: &str) -> u64 {
    let record = fs::read(path).ok().and_then(|bytes| Record::read(&bytes).ok());
    record.filter(|one| one.sensor == sensor).map_or(0, |record| record.number)
}

fn keep_position(path: &Path, delivered: Option<&Record>) -> io::Result<()> {
    let Some(delivered) = delivered else { return Ok(()) };
    let new = with(path, ".new");
    let mut file = File::create(&new)?;
    file.write_all(&delivered.to_bytes())?;
    file.sync_data()?;
    fs::rename(&new, path)
}
// ANCHOR_END: position
