//! Damages a log in a given way. With `restart` it starts as the gateway does,
//! with one more reading.

#[allow(dead_code, reason = "the gateway's own module, of which this needs a part")]
#[path = "../log.rs"]
mod log;
#[allow(dead_code, reason = "the gateway's own module, of which this needs a part")]
#[path = "../record.rs"]
mod record;

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Error, Write};
use std::path::Path;
use std::process::{self, ExitCode};

use tracing::info;

use crate::log::Log;
use crate::record::Record;

const LOG: &str = "gateway.log";

fn main() -> ExitCode {
    lesson_log::init();
    let result = match env::args().nth(1).as_deref() {
        Some("torn") => keep_five().and_then(|()| tear()),
        Some("flipped") => keep_five().and_then(|()| flip()),
        Some("foreign") => fs::write(LOG, "degrees;humidity\n20.1;40\n"),
        Some("restart") => restart(),
        _ => Err(Error::other(
            "usage: edge-gateway-damage torn | flipped | foreign | restart",
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn open() -> io::Result<(Log, Vec<Record>)> {
    let log = Log::open(Path::new(LOG), u64::MAX);
    log.map_err(|error| Error::other(format!("cannot use {LOG}: {error}")))
}

fn keep_five() -> io::Result<()> {
    let values = ["20.1", "20.2", "20.3", "20.4", "20.5"].map(String::from);
    for record in open()?.0.append(values.into())? {
        info!("reading {} is acknowledged: {}", record.number, record.value);
    }
    Ok(())
}

// ANCHOR: damage
/// Dies in the middle of the sixth record.
fn tear() -> io::Result<()> {
    let sixth = Record { number: 6, value: "20.6".to_owned() }.to_bytes();
    OpenOptions::new().append(true).open(LOG)?.write_all(&sixth[..11])?;
    process::abort()
}

/// Turns over one bit of the third record's value, as a worn-out memory card does.
fn flip() -> io::Result<()> {
    let mut bytes = fs::read(LOG)?;
    let value = bytes.windows(4).position(|text| text == b"20.3");
    bytes[value.unwrap_or_default()] ^= 1;
    fs::write(LOG, bytes)
}
// ANCHOR_END: damage

/// Keeps one more reading, and shows what the next start finds.
fn restart() -> io::Result<()> {
    open()?.0.append(vec!["20.7".to_owned()])?;
    for record in open()?.1 {
        info!("reading {}: {}", record.number, record.value);
    }
    Ok(())
}
