//! An inference beside its telemetry: a sampler and a `/metrics` endpoint.

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::{Router, extract::State, routing::get};
use prometheus::{IntCounter, IntGauge, Registry, TEXT_FORMAT, TextEncoder};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let port = env::args().nth(1).unwrap_or_else(|| "9464".to_owned());
    let Ok(number) = port.parse() else {
        eprintln!("not a port: {port}");
        return ExitCode::FAILURE;
    };
    match run(number) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve metrics on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
fn run(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    info!("listening on http://{}", listener.local_addr()?);
    let start = Instant::now();
    let tokens = Arc::new(AtomicI64::new(0));
    let sampler = Sampler::new(Arc::clone(&tokens))?;
    let registry = Registry::new();
    registry.register(Box::new(sampler.sampled.clone()))?;
    registry.register(Box::new(sampler.samples.clone()))?;

    // Nobody waits for these two: what is lost with them is one last sample.
    thread::Builder::new()
        .name("telemetry".to_owned())
        .spawn(move || sampler.sample(start))?;
    thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(|| serve_metrics(listener, registry))?;

    infer(&tokens, start);
    info!("the answer is complete: {} tokens", tokens.load(Relaxed));
    Ok(())
}
// ANCHOR_END: run

/// The model: a batch of 100 tokens after 0.25 s, and four more, 0.5 s each.
fn infer(tokens: &AtomicI64, start: Instant) {
    for batch in 0..5 {
        sleep_until(start + Duration::from_millis(250 + batch * 500));
        tokens.fetch_add(100, Relaxed);
    }
}

// ANCHOR: telemetry
/// Keeps for whoever asks how far the model was when last looked at.
struct Sampler {
    tokens: Arc<AtomicI64>,
    sampled: IntGauge,
    samples: IntCounter,
}

impl Sampler {
    fn new(tokens: Arc<AtomicI64>) -> prometheus::Result<Self> {
        let sampled =
            IntGauge::new("inference_tokens", "Tokens when last sampled.")?;
        let samples = IntCounter::new("telemetry_samples_total", "Samples taken.")?;
        Ok(Self { tokens, sampled, samples })
    }

    /// Every 0.5 s, without an end.
    fn sample(self, start: Instant) {
        for sample in 1.. {
            sleep_until(start + sample * Duration::from_millis(500));
            self.sampled.set(self.tokens.load(Relaxed));
            self.samples.inc();
            info!("sample {sample}: {} tokens", self.sampled.get());
        }
    }
}
// ANCHOR_END: telemetry

// ANCHOR: metrics
/// A runtime of this thread alone; nothing ends it but the end of the process.
fn serve_metrics(listener: TcpListener, registry: Registry) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let routes = Router::new().route("/metrics", get(expose)).with_state(registry);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, routes).await
    })
}

async fn expose(State(registry): State<Registry>) -> impl IntoResponse {
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .map(|text| ([(CONTENT_TYPE, TEXT_FORMAT)], text))
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}
// ANCHOR_END: metrics

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
