//! A snapshot file: whether it is whole, and what is done with one that is not.
//!
//! It has `vectors\n`, then its format, the length of its body and the checksum of
//! its body, each as a `u32`; then the body, which begins with its generation.

use std::fs;
use std::io::{self, ErrorKind};
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

// ANCHOR: decode
enum Fault {
    /// Perhaps whole, but nothing that this program may touch.
    Foreign(String),
    /// It was a snapshot once.
    Damaged(String),
}

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
// ANCHOR_END: decode

// ANCHOR: load
/// Reads the file; one that is damaged is kept under another name.
pub fn load(path: &Path) -> io::Result<Option<u32>> {
    let file = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let shown = path.display();
    match decode(&file) {
        Ok(generation) => Ok(Some(generation)),
        Err(Fault::Foreign(what)) => Err(io::Error::other(format!("it {what}"))),
        Err(Fault::Damaged(what)) => {
            let aside =
                (1..).map(|n| PathBuf::from(format!("{shown}.damaged-{n}")));
            let aside = aside.into_iter().find(|path| !path.exists());
            let aside = aside.ok_or(ErrorKind::StorageFull)?;
            fs::rename(path, &aside)?;
            eprintln!("{shown} {what}; it is kept as {}", aside.display());
            Ok(None)
        }
    }
}
// ANCHOR_END: load
