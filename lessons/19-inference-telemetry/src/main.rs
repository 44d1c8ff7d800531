//! An inference beside its telemetry: a sampler and a `/metrics` endpoint.

mod metrics;
mod model;
mod telemetry;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, thread};

use tokio::runtime;
use tracing::info;

use metrics::Endpoint;
use model::{infer, sleep_until};
use telemetry::Sampler;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args_os().skip(1);
    let port = args.next().unwrap_or_else(|| "9464".into());
    let batches = args.next().unwrap_or_else(|| "5".into());
    let ended = match (number(&port), number(&batches)) {
        (None, _) => Err(format!("not a port: {}", port.display())),
        (_, None) => Err(format!("not a number of batches: {}", batches.display())),
        (Some(port), Some(batches)) => run(port, batches),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn number<T: FromStr>(text: &OsStr) -> Option<T> {
    text.to_str()?.parse().ok()
}

fn run(port: u16, batches: u32) -> Result<(), String> {
    // It needs the clock, too: while there is no descriptor for a client, axum sleeps.
    let runtime =
        runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let endpoint = runtime
        .and_then(|runtime| Endpoint::bind(port, runtime))
        .map_err(|error| format!("cannot serve metrics on port {port}: {error}"))?;
    info!("listening on http://{}", endpoint.address);
    let start = Instant::now();
    let tokens = Arc::new(AtomicU64::new(0));
    let sampler =
        Sampler::new(Arc::clone(&tokens)).map_err(|error| error.to_string())?;
    let registry = sampler.registry.clone();

    let cannot_start = |error| format!("cannot start a thread: {error}");
    // ANCHOR: threads
    // Nobody waits for these two: what is lost with them is one last sample.
    let telemetry = thread::Builder::new()
        .name("telemetry".to_owned())
        .spawn(move || sample_for_ever(&sampler, start))
        .map_err(cannot_start)?;
    let metrics = thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(|| endpoint.serve(registry))
        .map_err(cannot_start)?;

    infer(batches, &tokens, start);
    info!("the answer is complete: {} tokens", tokens.load(Relaxed));
    // ANCHOR_END: threads
    // ANCHOR: died
    // Neither ends by itself: one that has, panicked. The answer is none the worse.
    for (name, has_died) in
        [("telemetry", telemetry.is_finished()), ("metrics", metrics.is_finished())]
    {
        if has_died {
            // Where nobody reads stderr, the answer is complete all the same.
            let _ = writeln!(io::stderr(), "the thread {name} has died");
        }
    }
    // ANCHOR_END: died
    Ok(())
}

/// Every half second.
fn sample_for_ever(sampler: &Sampler, start: Instant) {
    for sample in 1.. {
        sleep_until(start + sample * Duration::from_millis(500));
        sampler.sample();
    }
}
