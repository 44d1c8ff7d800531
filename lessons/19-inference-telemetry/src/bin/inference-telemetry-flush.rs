//! The same sampler, and one last sample that is delivered before the process ends,
//! unless that takes too long.

#[path = "../model.rs"]
mod model;
#[path = "../sink.rs"]
mod sink;
#[path = "../telemetry.rs"]
mod telemetry;

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use prometheus::TextEncoder;
use signal_hook::consts::SIGXFSZ;
use tracing::info;

use sink::Delivery;
use telemetry::Sampler;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args_os().skip(1);
    let sink = args.next().unwrap_or_else(|| "metrics.prom".into());
    let ended = match args.next() {
        None => run(sink, Some(Duration::from_secs(1))),
        Some(limit) if limit == "unbounded" => run(sink, None),
        Some(_) => Err("the limit is left out, or it is unbounded".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format_args!("cannot begin: {error}")),
    }
}

fn run(
    sink: OsString,
    limit: Option<Duration>,
) -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: signal
    // A file that may not grow is then an error. By default it ends the process.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    // ANCHOR_END: signal
    let sink = if sink == "hung" { hung_gateway()?.into() } else { sink };
    info!("the inference starts");
    let start = Instant::now();
    let tokens = Arc::new(AtomicU64::new(0));
    let sampler = Sampler::new(Arc::clone(&tokens))?;
    // ANCHOR: spawn
    let (stop, stopped) = mpsc::channel();
    let (report, delivered) = mpsc::channel();
    let telemetry = thread::Builder::new().name("telemetry".to_owned());
    let started = telemetry.spawn(move || {
        sample_until(&sampler, &stopped, start);
        // Fails where `main` has given up: then nobody wants to know.
        let _ = report.send(deliver(&sampler, &sink));
    });
    started.map_err(|error| format!("no thread for telemetry: {error}"))?;
    // ANCHOR_END: spawn

    model::infer(5, &tokens, start);
    info!("the answer is complete: {} tokens", tokens.load(Relaxed));
    // ANCHOR: flush
    // Wakes `telemetry` in the middle of its interval.
    drop(stop);
    let delivery = match limit {
        Some(limit) => delivered.recv_timeout(limit),
        None => delivered.recv().map_err(RecvTimeoutError::from),
    };
    // The answer is there: a failure of its telemetry is told, and fails nothing else.
    match delivery {
        Ok(Ok(())) => info!("the last sample is delivered"),
        Ok(Err(error)) => tell(format!("the last sample is lost: {error}")),
        Err(RecvTimeoutError::Timeout) => tell("the last sample is given up"),
        Err(RecvTimeoutError::Disconnected) => tell("telemetry has panicked"),
    }
    // ANCHOR_END: flush
    Ok(())
}

// ANCHOR: sample_until
/// Every half second, and once more when it is told to stop.
fn sample_until(sampler: &Sampler, stopped: &Receiver<()>, start: Instant) {
    for sample in 1.. {
        let next = start + sample * Duration::from_millis(500);
        // Sleeps, unless `main` drops its end of the channel.
        let pause = next.saturating_duration_since(Instant::now());
        let woken = stopped.recv_timeout(pause);
        sampler.sample();
        if woken == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
// ANCHOR_END: sample_until

fn deliver(sampler: &Sampler, sink: &OsString) -> Delivery {
    let text = TextEncoder::new().encode_to_string(&sampler.registry.gather())?;
    sink::deliver(&text, sink)
}

/// Nobody accepts here: the kernel takes a connection, and no answer ever comes, also
/// while `main` returns. Hence it is not dropped.
fn hung_gateway() -> io::Result<String> {
    let gateway = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0")?));
    Ok(format!("http://{}", gateway.local_addr()?))
}

/// Where nobody reads stderr, the answer is complete all the same.
fn tell(what: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{what}");
}
