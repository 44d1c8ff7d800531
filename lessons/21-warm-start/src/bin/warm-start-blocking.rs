//! The same service with a `OnceLock`: one request that waits holds up all others.

use std::collections::HashMap;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::Builder;
use tracing::{error, info};

fn main() -> ExitCode {
    lesson_log::init();
    let port = env::args().nth(1).unwrap_or_else(|| "8080".to_owned());
    let fate = env::args().nth(2).unwrap_or_default();
    if !["", "fail", "panic"].contains(&&*fate) {
        eprintln!("the warm-up can `fail` or `panic`, not `{fate}`");
        return ExitCode::FAILURE;
    }
    run(&port, fate).map_or_else(
        |error| {
            eprintln!("cannot serve on port {port}: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run(port: &str, fate: String) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    info!("listening on http://{}", listener.local_addr()?);
    // Nobody joins these two: they end with the process.
    let warm_up = thread::Builder::new().name("warm-up".to_owned());
    warm_up.spawn(move || warm_up_model(&fate))?;
    let http = thread::Builder::new().name("http".to_owned());
    http.spawn(move || serve(listener))?;

    signals.forever().next();
    info!("told to stop");
    Ok(())
}

// ANCHOR: change
static MODEL: OnceLock<HashMap<&str, &str>> = OnceLock::new();

fn warm_up_model(fate: &str) {
    match load_model(fate) {
        Ok(model) => {
            // The change: it is set, or it is never set.
            let _ = MODEL.set(model);
            info!("the model is warm");
        }
        Err(reason) => error!("the model cannot be loaded: {reason}"),
    }
}
// ANCHOR_END: change

/// Three layers, one a second.
fn load_model(fate: &str) -> Result<HashMap<&'static str, &'static str>, String> {
    let start = Instant::now();
    for layer in 1..=3 {
        let next = start + layer * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        match (layer, fate) {
            (3, "fail") => return Err("layer 3 is missing".to_owned()),
            (3, "panic") => panic!("layer 3 has the wrong shape"),
            _ => info!("layer {layer} of 3 is loaded"),
        }
    }
    Ok(HashMap::from([("tea", "coffee"), ("rust", "iron"), ("thread", "yarn")]))
}

fn serve(listener: TcpListener) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/ready", get(ready))
        .route("/nearest/{word}", get(nearest));
    listener.set_nonblocking(true)?;
    // One thread serves every request: none of them may block it.
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

type Answer = (StatusCode, &'static str);

async fn ready() -> Answer {
    match MODEL.get() {
        Some(_) => (StatusCode::OK, "ready"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    }
}

// ANCHOR: wait
async fn nearest(Path(word): Path<String>) -> Answer {
    info!("what is nearest to {word}?");
    // The change: the thread waits, and with it every request that it serves.
    let nearest = MODEL.wait().get(&*word);
    nearest
        .map_or((StatusCode::NOT_FOUND, "unknown"), |word| (StatusCode::OK, word))
}
// ANCHOR_END: wait
