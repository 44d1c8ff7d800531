//! A payment is acknowledged when it is on disk; a relay applies it once, in this
//! run or after a restart.
//!
//! The `relay` carries payments from a buffer (`outbox`: SQLite, `stream`: Redis)
//! to the `ledger`.

mod database;
mod ledger;
mod outbox;
mod relay;
mod stream;

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

use ledger::{Ledger, Payment};
use outbox::Outbox;
use relay::Buffer;
use stream::Stream;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: durable-handoff [--in DIRECTORY] \
                     [--to redis://HOST:PORT] [produce FIRST LAST | relay | show]";

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<()> {
    let mut place = Place { directory: ".".into(), server: None };
    let mut role = Vec::new();
    let mut words = env::args_os().skip(1);
    while let Some(word) = words.next() {
        match word.to_str().ok_or(USAGE)? {
            "--in" => place.directory = words.next().ok_or(USAGE)?.into(),
            "--to" => {
                let server = words.next().ok_or(USAGE)?;
                place.server = Some(server.into_string().map_err(|_| USAGE)?);
            }
            word => role.push(word.to_owned()),
        }
    }
    match role.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => produce_and_relay(&place),
        ["produce", first, last] => match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => {
                let mut buffer = place.buffer()?;
                (first..=last).try_for_each(|number| accept(&mut *buffer, number))
            }
            _ => Err(USAGE.into()),
        },
        ["relay"] => {
            relay::deliver_all(&mut *place.buffer()?, &mut place.ledger()?)
        }
        ["show"] => {
            place.buffer()?.report()?.iter().for_each(|line| info!("{line}"));
            place.ledger()?.report()?.iter().for_each(|line| info!("{line}"));
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

// ANCHOR: both
fn produce_and_relay(place: &Place) -> Result<()> {
    let mut buffer = place.buffer()?;
    let (mut backlog, mut ledger) = (place.buffer()?, place.ledger()?);
    let (tell, relay) = mpsc::channel();
    let start = Instant::now();
    info!("my own work takes 4.5 s");
    // Nobody joins the relay: it is cut off when `main` returns.
    thread::Builder::new()
        .name("relay".to_owned())
        .spawn(move || {
            tell.send(relay::deliver_each_second(&mut *backlog, &mut ledger))
        })
        .map_err(|error| format!("cannot start the thread relay: {error}"))?;
    for number in 1..=5 {
        watch_until(start + (number - 1) * Duration::from_millis(400), &relay)?;
        accept(&mut *buffer, number)?;
    }
    watch_until(start + Duration::from_millis(4500), &relay)?;
    info!("my own work is done");
    Ok(())
}

/// Waits, and wakes at once if the relay ends: then nobody would deliver what is
/// acknowledged from now on.
fn watch_until(time: Instant, relay: &Receiver<Result<()>>) -> Result<()> {
    match relay.recv_timeout(time.saturating_duration_since(Instant::now())) {
        Err(RecvTimeoutError::Timeout) => Ok(()),
        Ok(Err(error)) => Err(format!("the relay has ended: {error}").into()),
        Ok(Ok(())) => Err("the relay has ended".into()),
        Err(RecvTimeoutError::Disconnected) => Err("the relay has panicked".into()),
    }
}
// ANCHOR_END: both

// ANCHOR: accept
/// The producer: what it has acknowledged, it may not lose any more.
fn accept(buffer: &mut dyn Buffer, number: u32) -> Result<()> {
    let payment = Payment::number(number);
    let key = &payment.key;
    let kept = buffer.accept(&payment);
    kept.map_err(|error| format!("{key} is not acknowledged: {error}"))?;
    info!("{key} is acknowledged");
    Ok(())
}
// ANCHOR_END: accept

/// Where payments wait, and where the ledger is.
struct Place {
    directory: PathBuf,
    server: Option<String>,
}

impl Place {
    fn buffer(&self) -> Result<Box<dyn Buffer + Send>> {
        Ok(match &self.server {
            Some(url) => Box::new(Stream::open(url)?),
            None => Box::new(Outbox::open(&self.directory)?),
        })
    }

    fn ledger(&self) -> Result<Ledger> {
        Ledger::open(&self.directory)
    }
}
