//! Exercise: a translator that keeps its first callers waiting for its dictionary.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p warm-start --bin warm-start-exercise -- 8080 3
//! Check it:    cargo test warm-start
//!              (this file alone: cargo test exercise::warm-start)
//! Start over:  git restore lessons/21-warm-start/src/bin/warm-start-exercise.rs

use std::collections::HashMap;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io, panic, thread};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::Builder;
use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let words: Vec<_> = env::args().skip(1).collect();
    let [port, seconds] = &words[..] else {
        eprintln!("usage: warm-start-exercise PORT SECONDS");
        return ExitCode::FAILURE;
    };
    run(port, seconds).map_or_else(
        |error| {
            eprintln!("cannot translate: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run(port: &str, seconds: &str) -> Result<(), Box<dyn Error>> {
    let (port, seconds) = (port.parse()?, seconds.parse()?);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    info!("listening on http://{}", listener.local_addr()?);
    let http = thread::Builder::new().name("http".to_owned());
    http.spawn(move || {
        // In a thread of its own, so that nobody has to wait for it.
        let dictionary = thread::Builder::new()
            .name("dictionary".to_owned())
            .spawn(move || load_dictionary(seconds))?;
        let dictionary =
            dictionary.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        serve(listener, Arc::new(dictionary))
    })?;
    signals.forever().next();
    info!("told to stop");
    Ok(())
}

type Dictionary = HashMap<&'static str, &'static str>;

/// Takes some seconds; more than four are more than it can bear, which shows after
/// two.
fn load_dictionary(seconds: u64) -> Dictionary {
    let is_too_large = seconds > 4;
    thread::sleep(Duration::from_secs(if is_too_large { 2 } else { seconds }));
    assert!(!is_too_large, "the dictionary is too large");
    info!("the dictionary is loaded");
    HashMap::from([("bread", "pain"), ("water", "eau")])
}

fn serve(listener: TcpListener, dictionary: Arc<Dictionary>) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/translate/{word}", get(translate))
        .with_state(dictionary);
    listener.set_nonblocking(true)?;
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

async fn translate(
    State(dictionary): State<Arc<Dictionary>>,
    Path(word): Path<String>,
) -> (StatusCode, &'static str) {
    match dictionary.get(&*word) {
        Some(word) => (StatusCode::OK, word),
        None => (StatusCode::NOT_FOUND, "no such word"),
    }
}
