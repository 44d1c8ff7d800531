//! The same, and for a while the model's files take every descriptor of the process.

#[path = "../metrics.rs"]
mod metrics;
#[path = "../model.rs"]
mod model;
#[path = "../telemetry.rs"]
mod telemetry;

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, iter, thread};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime;
use tracing::info;

use metrics::Endpoint;
use model::{infer, sleep_until};
use telemetry::Sampler;

fn main() -> ExitCode {
    lesson_log::init();
    let ended = match env::args_os().nth(1) {
        None => run(true),
        Some(argument) if argument == "no-clock" => run(false),
        Some(_) => Err("the only argument is no-clock".to_owned()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(has_clock: bool) -> Result<(), String> {
    // ANCHOR: limit
    // As `ulimit -n 24` does.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(limit.current.map_or(24, |now| now.min(24)));
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| format!("cannot set the limit: {error}"))?;
    // ANCHOR_END: limit
    // ANCHOR: change
    // The change: without `enable_time` the runtime has no clock.
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_io();
    if has_clock {
        builder.enable_time();
    }
    // ANCHOR_END: change
    let endpoint = builder
        .build()
        .and_then(|runtime| Endpoint::bind(0, runtime))
        .map_err(|error| format!("cannot serve metrics: {error}"))?;
    info!("listening on http://{}", endpoint.address);
    let start = Instant::now();
    let tokens = Arc::new(AtomicU64::new(0));
    let sampler =
        Sampler::new(Arc::clone(&tokens)).map_err(|error| error.to_string())?;
    let registry = sampler.registry.clone();

    let cannot_start = |error| format!("cannot start a thread: {error}");
    let metrics = thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(|| endpoint.serve(registry))
        .map_err(cannot_start)?;
    thread::Builder::new()
        .name("loader".to_owned())
        .spawn(move || load(start))
        .map_err(cannot_start)?;
    thread::Builder::new()
        .name("telemetry".to_owned())
        .spawn(move || {
            for sample in 1.. {
                sleep_until(start + sample * Duration::from_millis(500));
                sampler.sample();
            }
        })
        .map_err(cannot_start)?;

    infer(5, &tokens, start);
    info!("the answer is complete: {} tokens", tokens.load(Relaxed));
    if metrics.is_finished() {
        // Where nobody reads stderr, the answer is complete all the same.
        let _ = writeln!(io::stderr(), "the thread metrics has died");
    }
    Ok(())
}

// ANCHOR: load
/// The model's files, as many as can be opened, until 1.1 s.
fn load(start: Instant) {
    let files: Vec<_> = iter::from_fn(|| File::open("/dev/null").ok()).collect();
    info!("no descriptor is left");
    sleep_until(start + Duration::from_millis(1100));
    drop(files);
    info!("the files are closed");
}
// ANCHOR_END: load
