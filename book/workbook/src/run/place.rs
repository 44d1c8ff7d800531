//! Where the runs of this process have their directories.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use tempfile::{Builder, TempDir};

/// What all runs together have taken at most is a quarter of this.
const ROOM: u64 = 32 << 20;

/// The number of a file system that is in memory, as the kernel's `magic.h` has it.
const TMPFS: u64 = 0x0102_1994;

/// A directory in memory, where there is a place for it, or else in that for temporary files.
///
/// On a disk that others keep busy a program is late because its own writes wait. Nothing that a
/// chapter promises tells one from the other: what a process has written is there when the process is
/// gone, synced or not, until the machine itself stops.
///
/// # Errors
///
/// If no place will do; the error names the last one.
pub(super) fn directory() -> io::Result<TempDir> {
    let make = |place: &Path| Builder::new().prefix("workbook-").tempdir_in(place);
    let mut in_memory = in_memory().into_iter().filter(|place| has_room(place));
    if let Some(directory) = in_memory.find_map(|place| make(&place).ok()) {
        return Ok(directory);
    }
    let place = env::temp_dir();
    // A program has its own directory, from which a relative path leads elsewhere.
    let made = fs::canonicalize(&place).and_then(|place| make(&place));
    made.map_err(|error| {
        io::Error::other(format!("no directory in TMPDIR, which is {}: {error}", place.display()))
    })
}

fn in_memory() -> Vec<PathBuf> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    ["/dev/shm".into()].into_iter().chain(own).collect()
}

fn has_room(place: &Path) -> bool {
    statfs(place).is_ok_and(|disk| {
        disk.f_type as u64 == TMPFS
            && disk.f_bavail * disk.f_bsize as u64 >= ROOM
            && disk.f_ffree > 10_000
    })
}
