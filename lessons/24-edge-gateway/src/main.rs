//! A gateway at the edge keeps readings in a log, and delivers each of them once.
//!
//! A `record` is a reading with its checksum. `main` has a reading in the `log`
//! before it acknowledges it; the `uplink` carries it to the `cloud`.

mod cloud;
mod log;
mod record;
mod uplink;

use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, iter, panic};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tracing::{error, info};

use crate::log::Log;
use crate::uplink::Uplink;

const USAGE: &str = "usage: edge-gateway [--readings COUNT] [--every SECONDS] \
                     [--down FROM TO] [--grace SECONDS] [--limit BYTES] \
                     [--cloud HOST:PORT] [--log FILE]";

fn main() -> ExitCode {
    lesson_log::init();
    let result = match Settings::read(env::args().skip(1)) {
        Some(settings) => run(&settings),
        None => Err(Error::other(USAGE)),
    };
    result.map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

// ANCHOR: run
fn run(settings: &Settings) -> io::Result<()> {
    let path = settings.log.display();
    // Fail fast: without a log nothing can be acknowledged, so nothing starts.
    let (mut log, mut records) = Log::open(&settings.log, settings.limit)
        .map_err(|error| Error::other(format!("cannot use {path}: {error}")))?;
    let position = log::with(&settings.log, ".position");
    let delivered = uplink::position(&position);
    log.last = log.last.max(delivered);
    records.retain(|record| record.number > delivered);
    let bytes: usize = records.iter().map(|record| record.to_bytes().len()).sum();
    let cloud = settings.cloud.clone().map_or_else(|| own_cloud(settings), Ok)?;
    info!("{path} is open; not delivered yet: {}", records.len());

    let waiting = Arc::new(AtomicUsize::new(records.len()));
    let uplink = Uplink {
        log: File::open(&settings.log)?,
        at: log.end - bytes as u64,
        cloud,
        connection: None,
        position,
        waiting: Arc::clone(&waiting),
    };
    let (news, more) = mpsc::sync_channel(1);
    let (delivering, done) = mpsc::channel::<()>();
    let uplink = spawn("uplink", move || {
        // Dropped at the end, however the thread ends.
        let _delivering = delivering;
        let result = uplink.deliver(&more);
        result.inspect_err(|error| error!("the uplink has stopped: {error}"))
    })?;

    keep(&mut log, &sensor(settings)?, &waiting, &news)?;
    // The sensor has stopped, and all it has read is in the log.
    drop(news);
    match waiting.load(Ordering::Acquire) {
        0 => {}
        left => {
            info!("not delivered yet: {left}; I wait up to {:?}", settings.grace)
        }
    }
    match done.recv_timeout(settings.grace) {
        // Not joined: cut off at any moment, it leaves the rest in the log.
        Err(RecvTimeoutError::Timeout) => {}
        _ => uplink.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?,
    }
    match waiting.load(Ordering::Acquire) {
        0 => info!("all is delivered"),
        left => info!("not delivered: {left}; they are in {path}"),
    }
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: keep
/// Acknowledges readings until no more can come.
fn keep(
    log: &mut Log,
    readings: &Receiver<String>,
    waiting: &AtomicUsize,
    news: &SyncSender<()>,
) -> io::Result<()> {
    for reading in readings {
        // What has come in meanwhile is made durable by the same call.
        let more = readings.try_iter().take(255);
        let values: Vec<_> = iter::once(reading).chain(more).collect();
        let count = values.len();
        match log.append(values) {
            Ok(records) => {
                for record in &records {
                    let (number, value) = (record.number, &record.value);
                    info!("reading {number} is acknowledged: {value}");
                }
                waiting.fetch_add(count, Ordering::Release);
                // Full or gone: the uplink knows already, or has failed.
                let _ = news.try_send(());
            }
            // The uplink works on, and there may be room again.
            Err(error) if is_full(&error) => {
                info!("refused, not acknowledged: {count} ({error})");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_full(error: &Error) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}
// ANCHOR_END: keep

// ANCHOR: sensor
/// Starts the sensor, and a thread that waits for a signal to stop it.
fn sensor(settings: &Settings) -> io::Result<Receiver<String>> {
    let (stop, stopped) = mpsc::channel();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    spawn("signals", move || {
        let mut stop: Option<Sender<()>> = Some(stop);
        for signal in signals.forever() {
            match stop.take() {
                Some(_) => info!("told to stop"),
                // Told twice: end at once. What was acknowledged is in the log.
                None => drop(emulate_default_handler(signal)),
            }
        }
    })?;
    let (sender, readings) = mpsc::sync_channel(256);
    let (count, every) = (settings.readings, settings.every);
    spawn("sensor", move || {
        let start = Instant::now();
        let wait_until = |moment: Instant| {
            stopped.recv_timeout(moment.saturating_duration_since(Instant::now()))
        };
        for number in 1..=count {
            let is_stopped = wait_until(start + number * every);
            let celsius = 18.0 + f64::from(number * 7 % 40) / 10.0;
            if is_stopped != Err(RecvTimeoutError::Timeout)
                || sender.send(format!("{celsius:.1}")).is_err()
            {
                return;
            }
        }
        // A step and a half, in which the last one can be delivered.
        let _ = wait_until(start + count * every + every * 3 / 2);
    })?;
    Ok(readings)
}
// ANCHOR_END: sensor

/// A cloud in this process, where there is no other.
fn own_cloud(settings: &Settings) -> io::Result<String> {
    let file = cloud::open(Path::new("cloud.txt"))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let down = settings.down.clone();
    spawn("cloud", move || {
        let served = cloud::serve(&listener, file, &down);
        served.inspect_err(|error| error!("the cloud has stopped: {error}"))
    })?;
    Ok(address)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

struct Settings {
    readings: u32,
    every: Duration,
    /// When the cloud of this process hangs up.
    down: Range<Duration>,
    grace: Duration,
    limit: u64,
    cloud: Option<String>,
    log: PathBuf,
}

impl Settings {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut settings = Self {
            readings: 8,
            every: Duration::from_millis(400),
            down: Duration::ZERO..Duration::ZERO,
            grace: Duration::from_secs(3),
            limit: u64::MAX,
            cloud: None,
            log: "gateway.log".into(),
        };
        while let Some(name) = words.next() {
            let value = words.next()?;
            match &*name {
                "--readings" => settings.readings = value.parse().ok()?,
                "--every" => settings.every = seconds(&value)?,
                "--down" => {
                    settings.down = seconds(&value)?..seconds(&words.next()?)?;
                }
                "--grace" => settings.grace = seconds(&value)?,
                "--limit" => settings.limit = value.parse().ok()?,
                "--cloud" => {
                    let (_, port) = value.rsplit_once(':')?;
                    port.parse::<u16>().ok()?;
                    settings.cloud = Some(value);
                }
                "--log" => settings.log = value.into(),
                _ => return None,
            }
        }
        Some(settings)
    }
}

fn seconds(word: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(word.parse().ok()?).ok()
}
