//! The log: what was acknowledged is in it, and durable.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind::{self, InvalidInput, StorageFull};
use std::io::{self, Error, Write};
use std::path::{Path, PathBuf};

use tracing::info;

use crate::record::{HEAD, Record, Scan};

/// What a log begins with.
pub const MAGIC: &[u8] = b"edge-gateway log\n";

pub struct Log {
    file: File,
    /// Nobody else opens the log as long as this is open.
    _lock: File,
    sensor: String,
    /// Where the last durable record ends, and its number.
    pub end: u64,
    pub last: u64,
    limit: u64,
}

impl Log {
    // ANCHOR: open
    /// Opens a sensor's log, or makes one that may grow to `limit` bytes. A torn
    /// tail is cut off; of a damaged log, all is saved that can be.
    pub fn open(
        path: &Path,
        sensor: &str,
        limit: u64,
    ) -> io::Result<(Self, Vec<Record>)> {
        let lock = lock(path)?;
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        // Killed while it was new, a log has only a part of its first line.
        let is_new = MAGIC.starts_with(&bytes);
        let begin = if bytes.starts_with(MAGIC) { MAGIC.len() } else { 0 };
        let scan = if is_new { Scan::default() } else { Scan::of(&bytes, begin) };
        if !is_new && begin == 0 && scan.records.is_empty() {
            return Err(Error::other("this is no log of a gateway"));
        }
        if let Some(other) = scan.records.iter().find(|one| one.sensor != sensor) {
            let other = &other.sensor;
            return Err(Error::other(format!("it is the log of a sensor {other}")));
        }
        if scan.is_damaged {
            repair(path, &bytes, &scan.records)?;
        }
        let mut file = File::options().append(true).create(true).open(path)?;
        if is_new {
            file.write_all(&MAGIC[bytes.len()..])?;
        } else if !scan.is_damaged && scan.end < bytes.len() {
            file.set_len(scan.end as u64)?;
            info!("a torn record of {} bytes is cut off", bytes.len() - scan.end);
        }
        // Also what an earlier process has written and died before its sync.
        file.sync_all()?;
        sync_directory(path)?;
        let last = scan.records.last().map_or(0, |record| record.number);
        let (end, sensor) = (file.metadata()?.len(), sensor.to_owned());
        Ok((Self { file, _lock: lock, sensor, end, last, limit }, scan.records))
    }
    // ANCHOR_END: open

    // ANCHOR: append
    /// Returns when the reading is durable. After an error it is not kept.
    pub fn append(&mut self, number: u64, value: &str) -> io::Result<()> {
        let record = Record::new(&self.sensor, number, value);
        let too_long = || Error::new(InvalidInput, "it does not fit into a record");
        let bytes = record.ok_or_else(too_long)?.to_bytes();
        let end = self.end + bytes.len() as u64;
        if end > self.limit {
            return Err(StorageFull.into());
        }
        if let Err(error) = self.write(&bytes) {
            let cut = self.file.set_len(self.end);
            cut.map_err(|cut| Error::other(format!("{error}, then {cut}")))?;
            return Err(error);
        }
        (self.end, self.last) = (end, number);
        Ok(())
    }

    fn write(&mut self, record: &[u8]) -> io::Result<()> {
        // Two writes, so that a kill can come between them. With one it would
        // tear a record less often, and a power cut as often as with two.
        let (head, text) = record.split_at(HEAD);
        self.file.write_all(head)?;
        self.file.write_all(text)?;
        // So far only the system has it; without power it forgets.
        self.file.sync_data()
    }
    // ANCHOR_END: append
}

// ANCHOR: lock
/// The log itself cannot be the lock, as `repair` puts another file in its place. This
/// file is never renamed and never removed.
fn lock(log: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let file = options.open(with(log, ".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::other("another gateway has it"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
// ANCHOR_END: lock

// ANCHOR: repair
/// Puts what can be saved in the place of a damaged log, and keeps that aside.
/// Whenever this is cut short, the log is the damaged one or the new one.
fn repair(path: &Path, damaged: &[u8], saved: &[Record]) -> io::Result<()> {
    let (aside, mut copy) = (1..)
        .map(|number| with(path, &format!(".damaged-{number}")))
        .map(|name| (File::create_new(&name), name))
        .find_map(|(file, name)| match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => None,
            file => Some(file.map(|file| (name, file))),
        })
        .ok_or(ErrorKind::AlreadyExists)??;
    copy.write_all(damaged)?;
    copy.sync_all()?;
    sync_directory(path)?;

    let new = with(path, ".new");
    let mut file = File::create(&new)?;
    let records = saved.iter().flat_map(Record::to_bytes);
    file.write_all(&MAGIC.iter().copied().chain(records).collect::<Vec<_>>())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let (path, aside, saved) = (path.display(), aside.display(), saved.len());
    info!("{path} was damaged: readings saved: {saved}; see {aside}");
    Ok(())
}
// ANCHOR_END: repair

pub fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A new name is durable when its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}
