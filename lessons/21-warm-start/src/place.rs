//! Where a snapshot is kept, and two ways to save it. One of them may be cut off at
//! any moment.

use std::ffi::OsString;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::Builder;
use tracing::info;

pub struct Place {
    path: PathBuf,
    /// What a file is called until it is complete.
    unfinished: OsString,
    parent: PathBuf,
    directory: File,
    pause: Duration,
}

/// A way to save a snapshot.
pub type Save = fn(&Place, &[u8]) -> io::Result<()>;

// ANCHOR: replace
pub fn replace(place: &Place, bytes: &[u8]) -> io::Result<()> {
    // In the same directory: a rename does not lead to another file system.
    let mut new = Builder::new()
        .prefix(&place.unfinished)
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(&place.parent)?;
    place.write(new.as_file_mut(), bytes)?;
    // The bytes are on the disk before the name leads to them.
    new.as_file().sync_all()?;
    // The old file until here, the new one from here on.
    new.persist(&place.path)?;
    // The name is on the disk, too.
    place.directory.sync_all()
}
// ANCHOR_END: replace

// ANCHOR: overwrite
pub fn overwrite(place: &Place, bytes: &[u8]) -> io::Result<()> {
    // From here on, the old file is gone.
    let mut file = File::create(&place.path)?;
    place.write(&mut file, bytes)?;
    file.sync_all()
}
// ANCHOR_END: overwrite

impl Place {
    // ANCHOR: open
    pub fn open(path: &Path, pause: Duration) -> io::Result<Self> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut unfinished = OsString::from(".");
        unfinished.push(path.file_name().ok_or(ErrorKind::IsADirectory)?);
        unfinished.push(".new-");
        let directory = File::open(&parent)?;
        // Held until the process ends: nobody else works here, so what is
        // unfinished has been left by a process that is gone.
        match directory.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another process is at work there"));
            }
            locked => locked?,
        }
        for entry in fs::read_dir(&parent)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(unfinished.as_encoded_bytes()) {
                fs::remove_file(entry.path())?;
                info!("an unfinished file is removed");
            }
        }
        Ok(Self { path: path.to_owned(), unfinished, parent, directory, pause })
    }
    // ANCHOR_END: open

    /// Four blocks; a large index on a slow disk takes its time.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        for block in bytes.chunks(bytes.len().div_ceil(4)) {
            thread::sleep(self.pause);
            file.write_all(block)?;
        }
        Ok(())
    }
}
