//! Three records that come in halves, and a tick between the halves.

use std::env;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{self, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::select;
use tokio::time::{self, Instant, Interval};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    if way != "anew" && way != "same" {
        return lesson_log::failure("one of anew, same");
    }
    let (sender, mut receiver) = io::duplex(64);
    // It owns its end: when it is done, the connection is closed.
    tokio::spawn(send_records(sender));
    let half = Duration::from_millis(500);
    let mut tick = time::interval_at(Instant::now() + half, half);
    for _ in 1..=3 {
        let record = if way == "anew" {
            read_anew(&mut receiver, &mut tick).await
        } else {
            read_on(&mut receiver, &mut tick).await
        };
        match record {
            Ok(record) => info!("received: {}", String::from_utf8_lossy(&record)),
            Err(error) => {
                return lesson_log::failure(format!(
                    "a record is missing: {error}"
                ));
            }
        }
    }
    ExitCode::SUCCESS
}

// ANCHOR: anew
/// Each tick drops a `read_exact`, and with it what it has read.
async fn read_anew(
    from: &mut DuplexStream,
    tick: &mut Interval,
) -> io::Result<[u8; 8]> {
    loop {
        let mut record = [0; 8];
        select! {
            read = from.read_exact(&mut record) => return read.map(|_| record),
            _ = tick.tick() => info!("tick"),
        }
    }
}
// ANCHOR_END: anew

// ANCHOR: same
/// One `read_exact` for a record: a tick drops a reference to it.
async fn read_on(
    from: &mut DuplexStream,
    tick: &mut Interval,
) -> io::Result<[u8; 8]> {
    let mut record = [0; 8];
    let mut reading = pin!(from.read_exact(&mut record));
    let read = loop {
        select! {
            read = &mut reading => break read,
            _ = tick.tick() => info!("tick"),
        }
    };
    read.map(|_| record)
}
// ANCHOR_END: same

/// A record of 8 bytes a second, in two halves.
async fn send_records(mut to: DuplexStream) -> io::Result<()> {
    let start = Instant::now();
    for number in 1..=3_u32 {
        let second = start + Duration::from_secs(1) * (number - 1);
        time::sleep_until(second + Duration::from_millis(250)).await;
        to.write_all(b"reco").await?;
        time::sleep_until(second + Duration::from_millis(750)).await;
        to.write_all(format!("rd {number}").as_bytes()).await?;
    }
    Ok(())
}
