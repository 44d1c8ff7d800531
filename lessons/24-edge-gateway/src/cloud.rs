//! The cloud: a stand-in for a service far away. Stores each reading once.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use tracing::info;

// ANCHOR: serve
/// Takes lines such as `7 20.1`. The answer `7` says that all up to 7 are stored.
/// While it is `down` it hangs up.
pub fn serve(
    listener: &TcpListener,
    mut file: File,
    down: &Range<Duration>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut stored = String::new();
    file.read_to_string(&mut stored)?;
    // It was cut off in the middle of a line.
    stored.truncate(stored.rfind('\n').map_or(0, |end| end + 1));
    file.set_len(stored.len() as u64)?;
    let mut last = stored.lines().last().and_then(number).unwrap_or(0);

    for gateway in listener.incoming() {
        let mut gateway = BufReader::new(gateway?);
        let mut line = String::new();
        while gateway.read_line(&mut line).is_ok()
            // A line without its end is no reading: the gateway was cut off.
            && line.ends_with('\n')
            && !down.contains(&start.elapsed())
        {
            let Some(number) = number(&line) else { break };
            if number > last {
                file.write_all(line.as_bytes())?;
                last = number;
            } else {
                info!("reading {number} was stored before");
            }
            // Nothing more has come: what has is made durable, then it is answered.
            if gateway.buffer().is_empty() {
                file.sync_data()?;
                let answer = format!("{last}\n");
                if gateway.get_mut().write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
            line.clear();
        }
    }
    Ok(())
}
// ANCHOR_END: serve

pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).open(path);
    file.map_err(|error| {
        Error::other(format!("cannot use {}: {error}", path.display()))
    })
}

fn number(line: &str) -> Option<u64> {
    line.split_once(' ')?.0.parse().ok()
}
