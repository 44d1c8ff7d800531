//! Solution: the dictionary goes through a channel that closes if it never comes.

use std::collections::HashMap;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, io, thread};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::Builder;
use tokio::sync::watch::{self, Receiver};
use tracing::info;

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
    // ANCHOR: solution
    let (loaded, dictionary) = watch::channel(None);
    let loader = thread::Builder::new().name("dictionary".to_owned());
    // A panic drops `loaded`, and with it ends the wait of every request.
    loader.spawn(move || loaded.send_replace(Some(load_dictionary(seconds))))?;
    let http = thread::Builder::new().name("http".to_owned());
    http.spawn(move || serve(listener, dictionary))?;
    // ANCHOR_END: solution
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

fn serve(
    listener: TcpListener,
    dictionary: Receiver<Option<Dictionary>>,
) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/translate/{word}", get(translate))
        .with_state(dictionary);
    listener.set_nonblocking(true)?;
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

// ANCHOR: translate
async fn translate(
    State(mut dictionary): State<Receiver<Option<Dictionary>>>,
    Path(word): Path<String>,
) -> (StatusCode, &'static str) {
    let Ok(dictionary) = dictionary.wait_for(Option::is_some).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "there is no dictionary");
    };
    match dictionary.as_ref().and_then(|dictionary| dictionary.get(&*word)) {
        Some(word) => (StatusCode::OK, word),
        None => (StatusCode::NOT_FOUND, "no such word"),
    }
}
// ANCHOR_END: translate
