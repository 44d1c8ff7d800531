//! Exercise: a translator that keeps its first callers waiting for its dictionaries.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p warm-start --bin warm-start-exercise -- 8080 1 4
//! Check it:    cargo test warm-start
//!              (this file alone: cargo test exercise::warm-start)
//! Start over:  git restore lessons/21-warm-start/src/bin/warm-start-exercise.rs

#[path = "../customer.rs"]
mod customer;
#[path = "../stop.rs"]
mod stop;

use std::collections::HashMap;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io, thread};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::runtime::Builder;
use tracing::info;

use stop::Stop;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let words = env::args_os().skip(1).map(|word| word.display().to_string());
    let words: Vec<_> = words.collect();
    let [port, french, latin] = &words[..] else {
        return lesson_log::failure("usage: warm-start-exercise PORT FRENCH LATIN");
    };
    match run(port, french, latin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!("cannot translate: {why}")),
    }
}

fn run(port: &str, french: &str, latin: &str) -> Result<(), Box<dyn Error>> {
    let languages = [("french", french.parse()?), ("latin", latin.parse()?)];
    let stop = Stop::new()?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    let address = listener.local_addr()?;
    let http = stop.needs("http", move || {
        // In threads of their own, so that nobody has to wait for them.
        let loaders = languages.map(|(language, seconds)| {
            (
                language,
                stop::start(language, move || load_dictionary(language, seconds)),
            )
        });
        let mut shelf = HashMap::new();
        for (language, loader) in loaders {
            let dictionary = loader.map_err(io::Error::other)?.join();
            let missing = |_| {
                io::Error::other(format!("the {language} dictionary is missing"))
            };
            shelf.insert(language, dictionary.map_err(missing)?);
        }
        serve(listener, Arc::new(shelf))
    })?;
    info!("listening on http://{address}");
    // One who keeps his connection, and asks for his translation a little later.
    stop::start("customer", move || {
        customer::ask(address, &["/health", "/latin/bread"])
    })?;
    Ok(stop.wait(http)?)
}

type Dictionary = HashMap<&'static str, &'static str>;
type Shelf = Arc<HashMap<&'static str, Dictionary>>;

/// Takes some seconds; more than four are more than it can bear, which shows after
/// two.
fn load_dictionary(language: &str, seconds: u64) -> Dictionary {
    let is_too_large = seconds > 4;
    thread::sleep(Duration::from_secs(if is_too_large { 2 } else { seconds }));
    assert!(!is_too_large, "the {language} dictionary is too large");
    info!("the {language} dictionary is loaded");
    match language {
        "french" => HashMap::from([("bread", "pain"), ("water", "eau")]),
        _ => HashMap::from([("bread", "panis"), ("water", "aqua")]),
    }
}

fn serve(listener: TcpListener, shelf: Shelf) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/{language}/{word}", get(translate))
        .with_state(shelf);
    listener.set_nonblocking(true)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

async fn translate(
    State(shelf): State<Shelf>,
    Path((language, word)): Path<(String, String)>,
) -> (StatusCode, &'static str) {
    match shelf.get(&*language).and_then(|dictionary| dictionary.get(&*word)) {
        Some(word) => (StatusCode::OK, word),
        None => (StatusCode::NOT_FOUND, "no such word"),
    }
}
