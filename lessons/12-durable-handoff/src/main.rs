//! A payment is acknowledged when it is on disk; a relay applies it once, in this
//! run or after a restart.
//!
//! The `relay` carries payments from a buffer (`outbox`: SQLite, `stream`: Redis)
//! to the `ledger`.

mod ledger;
mod outbox;
mod relay;
mod stream;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::{error, info};

use ledger::{Ledger, Payment};
use outbox::Outbox;
use relay::Buffer;
use stream::Stream;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: durable-handoff [--in DIRECTORY] \
                     [--to redis://HOST:PORT] [produce FIRST LAST | relay | show]";

fn main() -> ExitCode {
    lesson_log::init();
    run().map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run() -> Result<()> {
    let mut place = Place { directory: ".".into(), server: None };
    let mut role = Vec::new();
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--in" => place.directory = words.next().ok_or(USAGE)?.into(),
            "--to" => place.server = Some(words.next().ok_or(USAGE)?),
            _ => role.push(word),
        }
    }
    match role.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => produce_and_relay(&place),
        ["produce", first, last] => match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => accept(&mut *place.buffer()?, first, last),
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
    let (mut backlog, mut ledger) = (place.buffer()?, place.ledger()?);
    let start = Instant::now();
    info!("my own work takes 3.5 s");
    // Nobody joins the relay: it is cut off when `main` returns.
    thread::Builder::new().name("relay".to_owned()).spawn(move || {
        if let Err(error) = relay::deliver_each_second(&mut *backlog, &mut ledger) {
            error!("the relay stops: {error}");
        }
    })?;
    accept(&mut *place.buffer()?, 1, 5)?;
    thread::sleep(Duration::from_millis(3500).saturating_sub(start.elapsed()));
    info!("my own work is done");
    Ok(())
}

/// The producer: what it has acknowledged, it may not lose any more.
fn accept(buffer: &mut dyn Buffer, first: u32, last: u32) -> Result<()> {
    for payment in (first..=last).map(Payment::number) {
        let key = &payment.key;
        let kept = buffer.accept(&payment);
        kept.map_err(|error| format!("{key} is not acknowledged: {error}"))?;
        info!("{key} is acknowledged");
    }
    Ok(())
}
// ANCHOR_END: both

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
        let db = outbox::database(&self.directory, "ledger.db", ledger::TABLES)?;
        Ok(Ledger::new(db))
    }
}
