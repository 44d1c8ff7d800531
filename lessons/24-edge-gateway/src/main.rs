//! A gateway at the edge keeps readings in a log, and delivers each of them once.
//!
//! A `record` is a reading with its checksum. `main` has a reading of the `sensor` in the
//! `log` before it acknowledges it; the `uplink` carries it to the `cloud`.

mod cloud;
mod log;
mod record;
mod sensor;
mod uplink;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tracing::info;

use crate::cloud::Store;
use crate::log::Log;
use crate::record::Record;
use crate::sensor::{Answer, Reading, Sensor};
use crate::uplink::Uplink;

const USAGE: &str = "usage: edge-gateway [--readings COUNT] [--every SECONDS] \
                     [--down FROM TO] [--grace SECONDS] [--limit BYTES] \
                     [--cloud IP:PORT] [--log FILE] [--sensor NAME]";

/// How often `main` looks after the uplink.
const WATCH: Duration = Duration::from_millis(500);

// ANCHOR: main
fn main() -> ExitCode {
    lesson_log::init();
    // Before there is a file or a thread: to process 1, a signal without a handler is
    // lost. And a write beyond a limit on files is to give an error, not to kill.
    let signals = Signals::new([SIGTERM, SIGINT, SIGXFSZ]);
    let signals =
        signals.map_err(|error| format!("cannot handle signals: {error}"));
    let settings = Settings::read(env::args_os().skip(1)).ok_or(USAGE.to_owned());
    let result = settings.and_then(|settings| run(&settings, signals?));
    result.map_or_else(lesson_log::failure, |()| ExitCode::SUCCESS)
}
// ANCHOR_END: main

// ANCHOR: run
fn run(settings: &Settings, signals: Signals) -> Result<(), String> {
    let (path, name) = (&settings.log, settings.log.display());
    // Fail fast: without a log nothing can be acknowledged, so nothing starts.
    let (mut log, mut records) = Log::open(path, &settings.sensor, settings.limit)
        .map_err(|error| format!("cannot use {name}: {error}"))?;
    let position = log::with(path, ".position");
    let delivered = uplink::position(&position, &settings.sensor);
    log.last = log.last.max(delivered);
    records.retain(|record| record.number > delivered);
    let bytes: usize = records.iter().map(|record| record.to_bytes().len()).sum();
    let cloud = settings.cloud.map_or_else(|| own_cloud(settings), Ok)?;
    info!("{name} is open; not delivered yet: {}", records.len());

    let waiting = Arc::new(AtomicUsize::new(records.len()));
    let uplink = Uplink {
        log: File::open(path)
            .map_err(|error| format!("cannot read {name}: {error}"))?,
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
        uplink.deliver(&more)
    })?;
    let (sensor, door) = sensor(settings, signals)?;

    keep(&mut log, &door, &waiting, &news, &uplink)?;
    // No reading comes any more, and those that were acknowledged are in the log.
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
        _ => match uplink.join() {
            Ok(result) => result
                .map_err(|error| format!("the uplink has stopped: {error}"))?,
            Err(payload) => panic::resume_unwind(payload),
        },
    }
    // It has closed the door, or the uplink would have ended with an error above.
    if let Err(payload) = sensor.join() {
        panic::resume_unwind(payload);
    }
    match waiting.load(Ordering::Acquire) {
        0 => info!("all is delivered"),
        left => info!("not delivered: {left}; they are in {name}"),
    }
    Ok(())
}
// ANCHOR_END: run

/// Where readings come in, and answers go out.
struct Door {
    readings: Receiver<Reading>,
    answers: Sender<Answer>,
}

// ANCHOR: keep
/// Acknowledges readings until no more can come, or nobody would deliver them.
fn keep(
    log: &mut Log,
    door: &Door,
    waiting: &AtomicUsize,
    news: &SyncSender<()>,
    uplink: &JoinHandle<io::Result<()>>,
) -> Result<(), String> {
    loop {
        let reading = door.readings.recv_timeout(WATCH);
        if uplink.is_finished() {
            return Ok(());
        }
        let Reading { number, value } = match reading {
            Ok(reading) => reading,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // ANCHOR: reading
        let is_kept = if number <= log.last {
            info!("reading {number} was kept before");
            true
        } else {
            match log.append(number, &value) {
                Ok(()) => {
                    waiting.fetch_add(1, Ordering::Release);
                    // Full or gone: the uplink knows already, or has failed.
                    let _ = news.try_send(());
                    true
                }
                // The uplink works on, and there may be room again.
                Err(error) if is_refusal(&error) => {
                    info!("reading {number} is refused: {error}");
                    false
                }
                Err(error) => return Err(format!("cannot keep readings: {error}")),
            }
        };
        // ANCHOR_END: reading
        // Without its answer a sensor offers the same reading again.
        let _ = door.answers.send(Answer { number, is_kept });
    }
}

fn is_refusal(error: &Error) -> bool {
    use ErrorKind::{FileTooLarge, InvalidInput, QuotaExceeded, StorageFull};
    let kinds = [FileTooLarge, InvalidInput, QuotaExceeded, StorageFull];
    kinds.contains(&error.kind())
}
// ANCHOR_END: keep

// ANCHOR: sensor
/// Starts the sensor, and a thread that waits for a signal to stop it.
#[expect(clippy::exit, reason = "the default of a signal does not end process 1")]
fn sensor(
    settings: &Settings,
    mut signals: Signals,
) -> Result<(JoinHandle<()>, Door), String> {
    let (stop, stopped) = mpsc::channel::<()>();
    let mut stop = Some(stop);
    spawn("signals", move || {
        for signal in signals.forever().filter(|signal| *signal != SIGXFSZ) {
            match stop.take() {
                Some(_) => info!("told to stop"),
                // Told twice: end at once. What was acknowledged is in the log. For
                // process 1, the default is to do nothing.
                None if process::id() == 1 => process::exit(128 + signal),
                None => drop(emulate_default_handler(signal)),
            }
        }
    })?;
    // One reading at a time; the next waits with the sensor.
    let (sender, readings) = mpsc::sync_channel(1);
    let (answers, receiver) = mpsc::channel();
    let memory = log::with(&settings.log, ".sensor");
    let sensor = Sensor { memory, readings: sender, answers: receiver, stopped };
    let (steps, every) = (settings.readings, settings.every);
    let sensor = spawn("sensor", move || sensor.run(steps, every))?;
    Ok((sensor, Door { readings, answers }))
}
// ANCHOR_END: sensor

/// A cloud in this process, where there is no other.
fn own_cloud(settings: &Settings) -> Result<SocketAddr, String> {
    let (store, down) =
        (Store::open(Path::new("cloud.txt"))?, settings.down.clone());
    let listener = TcpListener::bind("127.0.0.1:0");
    let listener = listener.map_err(|error| format!("cannot listen: {error}"))?;
    let address = listener.local_addr();
    let address = address.map_err(|error| format!("cannot listen: {error}"))?;
    let start = Instant::now();
    spawn("cloud", move || {
        for gateway in listener.incoming() {
            let talk = |gateway| cloud::talk(gateway, &store, start, &down);
            if let Err(error) = gateway.and_then(talk) {
                info!("the cloud hangs up: {error}");
                // Where no descriptor is left, the next one fails at once, too.
                thread::sleep(Duration::from_millis(100));
            }
        }
    })?;
    Ok(address)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

struct Settings {
    readings: u32,
    every: Duration,
    /// When the cloud of this process hangs up.
    down: Range<Duration>,
    grace: Duration,
    limit: u64,
    cloud: Option<SocketAddr>,
    log: PathBuf,
    sensor: String,
}

impl Settings {
    fn read(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut settings = Self {
            readings: 8,
            every: Duration::from_millis(400),
            down: Duration::ZERO..Duration::ZERO,
            grace: Duration::from_secs(3),
            limit: u64::MAX,
            cloud: None,
            log: "gateway.log".into(),
            sensor: "shed".to_owned(),
        };
        while let Some(name) = words.next() {
            let value = words.next()?;
            if name == "--log" {
                settings.log = value.into();
                continue;
            }
            let value = value.to_str()?;
            match name.to_str()? {
                "--readings" => settings.readings = value.parse().ok()?,
                "--every" => settings.every = seconds(value)?,
                "--down" => {
                    let to = words.next()?;
                    settings.down = seconds(value)?..seconds(to.to_str()?)?;
                }
                "--grace" => settings.grace = seconds(value)?,
                "--limit" => settings.limit = value.parse().ok()?,
                "--cloud" => settings.cloud = Some(value.parse().ok()?),
                "--sensor" => settings.sensor = Record::new(value, 0, "0")?.sensor,
                _ => return None,
            }
        }
        Some(settings)
    }
}

/// At most a day.
fn seconds(word: &str) -> Option<Duration> {
    let seconds = word.parse().ok().filter(|seconds| *seconds <= 86_400.0)?;
    Duration::try_from_secs_f64(seconds).ok()
}
