//! The log: what was acknowledged is in it, and durable.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tracing::info;

use crate::record::{HEAD, Record, Scan};

/// What a log begins with.
pub const MAGIC: &[u8] = b"edge-gateway log\n";

pub struct Log {
    file: File,
    /// Where the last durable record ends, and its number.
    pub end: u64,
    pub last: u64,
    limit: u64,
}

impl Log {
    // ANCHOR: open
    /// Opens a log, or makes one that may grow to `limit` bytes. A torn tail is cut
    /// off; of a damaged log, all is saved that can be.
    pub fn open(path: &Path, limit: u64) -> io::Result<(Self, Vec<Record>)> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|_| io::Error::other("another gateway has it"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let begin = if bytes.starts_with(MAGIC) { MAGIC.len() } else { 0 };
        // Killed while it was new, a log has only a part of its first line.
        let is_new = MAGIC.starts_with(&bytes) && begin == 0;
        let scan = if is_new { Scan::default() } else { Scan::of(&bytes, begin) };
        if !is_new && begin == 0 && scan.saved == 0 {
            return Err(io::Error::other("this is no log of a gateway"));
        }
        if scan.is_damaged {
            repair(path, &scan)?;
            return Self::open(path, limit);
        }
        if scan.end < bytes.len() {
            file.set_len(scan.end as u64)?;
            info!("a torn record of {} bytes is cut off", bytes.len() - scan.end);
        }
        if is_new {
            file.write_all(MAGIC)?;
        }
        file.sync_all()?;
        sync_directory(path)?;
        let last = scan.records.last().map_or(0, |record| record.number);
        let end = file.metadata()?.len();
        Ok((Self { file, end, last, limit }, scan.records))
    }
    // ANCHOR_END: open

    // ANCHOR: append
    /// Returns when the readings are durable. After an error, none of them is kept.
    pub fn append(&mut self, values: Vec<String>) -> io::Result<Vec<Record>> {
        let record = |(number, value)| Record { number, value };
        let records: Vec<_> = (self.last + 1..).zip(values).map(record).collect();
        match self.write(&records) {
            Ok(length) => self.end += length,
            Err(error) => {
                self.file.set_len(self.end)?;
                return Err(error);
            }
        }
        self.last += records.len() as u64;
        Ok(records)
    }

    fn write(&mut self, records: &[Record]) -> io::Result<u64> {
        let records: Vec<_> = records.iter().map(Record::to_bytes).collect();
        let length = records.iter().map(Vec::len).sum::<usize>() as u64;
        if self.end + length > self.limit {
            return Err(ErrorKind::StorageFull.into());
        }
        for record in records {
            // Two writes, so that a kill can come between them. With one it would
            // tear a record less often, and a power cut as often as with two.
            let (head, text) = record.split_at(HEAD);
            self.file.write_all(head)?;
            self.file.write_all(text)?;
        }
        // So far only the system has them; without power it forgets.
        self.file.sync_data()?;
        Ok(length)
    }
    // ANCHOR_END: append
}

// ANCHOR: repair
/// Puts what can be saved in the place of a damaged log, and keeps that aside.
/// Whenever this is cut short, the log is the damaged one or the new one.
fn repair(path: &Path, scan: &Scan) -> io::Result<()> {
    let names = (1..).map(|number| with(path, &format!(".damaged-{number}")));
    let aside = names.into_iter().find(|name| !name.exists()).unwrap_or_default();
    fs::copy(path, &aside)?;
    File::open(&aside)?.sync_all()?;

    let new = with(path, ".new");
    let records = scan.records.iter().flat_map(Record::to_bytes);
    let bytes: Vec<u8> = MAGIC.iter().copied().chain(records).collect();
    fs::write(&new, bytes)?;
    File::open(&new)?.sync_all()?;
    fs::rename(&new, path)?;
    let lost = scan.records.len() - scan.saved;
    let (path, aside) = (path.display(), aside.display());
    info!("{path} was damaged: {} saved, {lost} lost; see {aside}", scan.saved);
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
