//! Damages a log in a given way. With `restart` it starts as the gateway does,
//! with one more reading.

#[allow(dead_code, reason = "the gateway's own module, of which this needs a part")]
#[path = "../log.rs"]
mod log;
#[allow(dead_code, reason = "the gateway's own module, of which this needs a part")]
#[path = "../record.rs"]
mod record;

use std::env;
use std::fs::{self, File};
use std::io::{self, Error, Write};
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::Arc;

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;
use tracing::info;

use crate::log::Log;
use crate::record::Record;

const LOG: &str = "gateway.log";
const SENSOR: &str = "shed";

fn main() -> ExitCode {
    lesson_log::init();
    // A write beyond a limit on files is to give an error, not to kill.
    if let Err(error) = flag::register(SIGXFSZ, Arc::default()) {
        return lesson_log::failure(error);
    }
    let result = match env::args_os().nth(1).as_ref().and_then(|word| word.to_str())
    {
        Some("torn") => keep_five().and_then(|()| tear()),
        Some("flipped") => keep_five().and_then(|()| flip()),
        Some("foreign") => fs::write(LOG, "degrees;humidity\n20.1;40\n"),
        Some("too-long") => too_long(),
        Some("restart") => restart(),
        _ => Err(Error::other(
            "usage: edge-gateway-damage torn | flipped | foreign | too-long | restart",
        )),
    };
    result.map_or_else(lesson_log::failure, |()| ExitCode::SUCCESS)
}

fn open() -> io::Result<(Log, Vec<Record>)> {
    let log = Log::open(Path::new(LOG), SENSOR, u64::MAX);
    log.map_err(|error| Error::other(format!("cannot use {LOG}: {error}")))
}

fn keep_five() -> io::Result<()> {
    let (mut log, _) = open()?;
    for (number, value) in (1..).zip(["20.1", "20.2", "20.3", "20.4", "20.5"]) {
        log.append(number, value)?;
        info!("reading {number} is acknowledged: {value}");
    }
    Ok(())
}

// ANCHOR: damage
/// Dies in the middle of the sixth record.
fn tear() -> io::Result<()> {
    let sixth = Record::new(SENSOR, 6, "20.6").map(|record| record.to_bytes());
    let mut log = File::options().append(true).open(LOG)?;
    log.write_all(&sixth.unwrap_or_default()[..11])?;
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

/// Offers a value whose length does not fit into a head.
fn too_long() -> io::Result<()> {
    keep_five()?;
    match open()?.0.append(6, &"9".repeat(70_000)) {
        Ok(()) => info!("reading 6 is acknowledged"),
        Err(error) => info!("reading 6 is refused: {error}"),
    }
    Ok(())
}

/// Keeps one more reading, and shows what the next start finds.
fn restart() -> io::Result<()> {
    let (mut log, _) = open()?;
    log.append(log.last + 1, "20.7")?;
    drop(log);
    for record in open()?.1 {
        info!("reading {}: {}", record.number, record.value);
    }
    Ok(())
}
