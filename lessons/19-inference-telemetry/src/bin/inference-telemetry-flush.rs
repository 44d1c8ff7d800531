//! The same sampler, and one last sample that is delivered before the process ends,
//! unless that takes too long.

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use prometheus::{IntCounter, IntGauge, Registry, TextEncoder};
use tracing::info;

type Delivery = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args().skip(1);
    let sink = args.next().unwrap_or_else(|| "metrics.prom".to_owned());
    let limit = match args.next().as_deref() {
        None => Some(Duration::from_secs(1)),
        Some("unbounded") => None,
        Some(other) => {
            eprintln!("the limit can be left out or be `unbounded`, not `{other}`");
            return ExitCode::FAILURE;
        }
    };
    match run(sink, limit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot begin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(sink: String, limit: Option<Duration>) -> Result<(), Box<dyn Error>> {
    let sink = match sink.as_str() {
        "hung" => {
            // Nobody accepts here: the kernel takes a connection, and no answer ever comes,
            // also while `main` returns. Hence it is not dropped.
            let gateway = Box::leak(Box::new(TcpListener::bind("127.0.0.1:0")?));
            format!("http://{}", gateway.local_addr()?)
        }
        _ => sink,
    };
    info!("the inference starts");
    let start = Instant::now();
    let tokens = Arc::new(AtomicI64::new(0));
    let sampler = Sampler::new(Arc::clone(&tokens))?;
    // ANCHOR: spawn
    let (stop, stopped) = mpsc::channel();
    let (report, delivered) = mpsc::channel();
    thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
        sampler.sample_until(&stopped, start);
        // Where `main` has given up, nobody wants to know.
        let _ = report.send(sampler.deliver(&sink));
    })?;
    // ANCHOR_END: spawn

    infer(&tokens, start);
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
        Ok(Err(error)) => eprintln!("the last sample is lost: {error}"),
        Err(RecvTimeoutError::Timeout) => eprintln!("the last sample is given up"),
        Err(RecvTimeoutError::Disconnected) => eprintln!("telemetry has panicked"),
    }
    Ok(())
    // ANCHOR_END: flush
}

/// The model: a batch of 100 tokens after 0.25 s, and four more, 0.5 s each.
fn infer(tokens: &AtomicI64, start: Instant) {
    for batch in 0..5 {
        let done = start + Duration::from_millis(250 + batch * 500);
        thread::sleep(done.saturating_duration_since(Instant::now()));
        tokens.fetch_add(100, Relaxed);
    }
}

struct Sampler {
    tokens: Arc<AtomicI64>,
    sampled: IntGauge,
    samples: IntCounter,
    registry: Registry,
}

impl Sampler {
    fn new(tokens: Arc<AtomicI64>) -> prometheus::Result<Self> {
        let sampled =
            IntGauge::new("inference_tokens", "Tokens when last sampled.")?;
        let samples = IntCounter::new("telemetry_samples_total", "Samples taken.")?;
        let registry = Registry::new();
        registry.register(Box::new(sampled.clone()))?;
        registry.register(Box::new(samples.clone()))?;
        Ok(Self { tokens, sampled, samples, registry })
    }

    // ANCHOR: telemetry
    /// Every 0.5 s, and once more when it is told to stop.
    fn sample_until(&self, stopped: &Receiver<()>, start: Instant) {
        for sample in 1.. {
            let next = start + sample * Duration::from_millis(500);
            // Sleeps, unless `main` drops its end of the channel.
            let pause = next.saturating_duration_since(Instant::now());
            let is_last =
                stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected);
            self.sampled.set(self.tokens.load(Relaxed));
            self.samples.inc();
            info!("sample {sample}: {} tokens", self.sampled.get());
            if is_last {
                return;
            }
        }
    }
    // ANCHOR_END: telemetry

    // ANCHOR: deliver
    /// To a Pushgateway, or to a file for node_exporter's textfile collector. Only
    /// `http://` is spoken.
    fn deliver(&self, sink: &str) -> Delivery {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather())?;
        if sink.starts_with("http://") {
            // This client waits as long as it takes, unless it is told otherwise.
            let gateway = ureq::put(format!("{sink}/metrics/job/inference"));
            gateway.config().proxy(None).build().send(text)?;
        } else {
            // The rename would replace a device or a link as well.
            if fs::symlink_metadata(sink).is_ok_and(|found| !found.is_file()) {
                return Err(format!("{sink} is not a regular file").into());
            }
            // Whoever reads finds the old text or the new one, never a part of it.
            let new = format!("{sink}.new");
            let replaced =
                fs::write(&new, text).and_then(|()| fs::rename(&new, sink));
            if replaced.is_err() {
                // Nothing half-written stays; what went wrong first is told.
                let _ = fs::remove_file(&new);
            }
            replaced?;
        }
        Ok(())
    }
    // ANCHOR_END: deliver
}
