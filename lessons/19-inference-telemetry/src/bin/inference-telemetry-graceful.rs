//! The same, and the endpoint is closed in good order: it waits for whoever is asking.

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, io, panic, thread};

use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::{Router, extract::State, routing::get};
use prometheus::{IntCounter, IntGauge, Registry, TEXT_FORMAT, TextEncoder};
use tokio::sync::Notify;
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

fn run(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    info!("listening on http://{}", listener.local_addr()?);
    let start = Instant::now();
    let tokens = Arc::new(AtomicI64::new(0));
    let sampler = Sampler::new(Arc::clone(&tokens))?;
    let registry = Registry::new();
    registry.register(Box::new(sampler.sampled.clone()))?;
    registry.register(Box::new(sampler.samples.clone()))?;

    thread::Builder::new()
        .name("telemetry".to_owned())
        .spawn(move || sampler.sample(start))?;
    let close = Arc::new(Notify::new());
    let closed = Arc::clone(&close);
    let metrics = thread::Builder::new()
        .name("metrics".to_owned())
        .spawn(move || serve_metrics(listener, registry, closed))?;

    infer(&tokens, start);
    info!("the answer is complete: {} tokens", tokens.load(Relaxed));
    // ANCHOR: change
    // The change: no new connections, and those that are open may end first.
    close.notify_one();
    metrics.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("the endpoint is closed");
    // ANCHOR_END: change
    Ok(())
}

/// The model: a batch of 100 tokens after 0.25 s, and four more, 0.5 s each.
fn infer(tokens: &AtomicI64, start: Instant) {
    for batch in 0..5 {
        sleep_until(start + Duration::from_millis(250 + batch * 500));
        tokens.fetch_add(100, Relaxed);
    }
}

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

/// A runtime of this thread alone, until it is told to close.
fn serve_metrics(
    listener: TcpListener,
    registry: Registry,
    close: Arc<Notify>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let routes = Router::new().route("/metrics", get(expose)).with_state(registry);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let close = async move { close.notified().await };
        axum::serve(listener, routes).with_graceful_shutdown(close).await
    })
}

async fn expose(State(registry): State<Registry>) -> impl IntoResponse {
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .map(|text| ([(CONTENT_TYPE, TEXT_FORMAT)], text))
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
