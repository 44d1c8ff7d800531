//! A snapshot file: whether it is whole, and what is done with one that is not.
//!
//! It has `vectors\n`, then its format, the length of its body and the checksum of
//! its body, each as a `u32`; then the body, which begins with its generation.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"vectors\n";
const FORMAT: u32 = 1;
const HEADER: usize = 20;

// ANCHOR: encode
pub fn encode(body: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut file = MAGIC.to_vec();
    for field in [FORMAT, length, crc32fast::hash(body)] {
        file.extend(field.to_le_bytes());
    }
    file.extend(body);
    Ok(file)
}
// ANCHOR_END: encode

// ANCHOR: fault
enum Fault {
    /// Perhaps whole, but nothing that this program may touch.
    Foreign(String),
    /// It was a snapshot once.
    Damaged(String),
}
// ANCHOR_END: fault

/// The generation of the index, if the file is whole.
fn decode(file: &[u8]) -> Result<u32, Fault> {
    let number =
        |at: usize| Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?));
    if !MAGIC.starts_with(&file[..file.len().min(MAGIC.len())]) {
        return Err(Fault::Foreign("is no snapshot of an index".to_owned()));
    }
    match number(8) {
        None | Some(FORMAT) => {}
        Some(format) => {
            return Err(Fault::Foreign(format!(
                "has format {format}, not {FORMAT}"
            )));
        }
    }
    let damaged = |what: String| Err(Fault::Damaged(format!("is damaged: {what}")));
    let (Some(length), Some(checksum)) = (number(12), number(16)) else {
        return damaged(format!(
            "it ends after {} bytes, in its header",
            file.len()
        ));
    };
    let (found, body) = (file.len() - HEADER, &file[HEADER..]);
    match number(HEADER) {
        _ if found as u64 != u64::from(length) => {
            damaged(format!("after its header are {found} bytes, not {length}"))
        }
        Some(generation) if crc32fast::hash(body) == checksum => Ok(generation),
        _ => damaged("its checksum does not match".to_owned()),
    }
}

// ANCHOR: load
/// Reads the file; one that is damaged is kept under another name.
pub fn load(path: &Path) -> io::Result<Option<u32>> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() {
        // A rename would put a file in the place of a link or a device.
        return Err(io::Error::other("it is no plain file"));
    }
    match decode(&fs::read(path)?) {
        Ok(generation) => Ok(Some(generation)),
        Err(Fault::Foreign(what)) => Err(io::Error::other(format!("it {what}"))),
        Err(Fault::Damaged(what)) => {
            let aside = (1_u32..).map(|number| {
                let mut name = path.as_os_str().to_owned();
                name.push(format!(".damaged-{number}"));
                PathBuf::from(name)
            });
            let aside = aside.into_iter().find(|path| !path.exists());
            let aside = aside.ok_or(ErrorKind::StorageFull)?;
            fs::rename(path, &aside)?;
            // Not `eprintln!`: the work goes on, whether somebody reads this or not.
            let (path, aside) = (path.display(), aside.display());
            let _ = writeln!(io::stderr(), "{path} {what}; it is kept as {aside}");
            Ok(None)
        }
    }
}
// ANCHOR_END: load
