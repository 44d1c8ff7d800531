//! Solution: each dictionary goes through a channel that closes if it never comes.

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
use tokio::sync::watch::{self, Receiver};
use tracing::info;

use stop::Stop;

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
    // ANCHOR: solution
    let mut shelf = HashMap::new();
    for (language, seconds) in languages {
        let (loaded, dictionary) = watch::channel(None);
        // A panic drops `loaded`, and with it ends the wait of every request.
        stop::start(language, move || {
            loaded.send_replace(Some(Arc::new(load_dictionary(language, seconds))));
        })?;
        shelf.insert(language, dictionary);
    }
    let http = stop.needs("http", move || serve(listener, Arc::new(shelf)))?;
    // ANCHOR_END: solution
    info!("listening on http://{address}");
    // One who keeps his connection, and asks for his translation a little later.
    stop::start("customer", move || {
        customer::ask(address, &["/health", "/latin/bread"])
    })?;
    Ok(stop.wait(http)?)
}

type Dictionary = HashMap<&'static str, &'static str>;
type Shelf = Arc<HashMap<&'static str, Receiver<Option<Arc<Dictionary>>>>>;

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

// ANCHOR: translate
async fn translate(
    State(shelf): State<Shelf>,
    Path((language, word)): Path<(String, String)>,
) -> (StatusCode, &'static str) {
    let Some(mut dictionary) = shelf.get(&*language).cloned() else {
        return (StatusCode::NOT_FOUND, "no such language");
    };
    let dictionary = match dictionary.wait_for(Option::is_some).await {
        Ok(loaded) => loaded.clone(),
        Err(_) => None,
    };
    match dictionary.map(|dictionary| dictionary.get(&*word).copied()) {
        Some(Some(word)) => (StatusCode::OK, word),
        Some(None) => (StatusCode::NOT_FOUND, "no such word"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "there is no dictionary"),
    }
}
// ANCHOR_END: translate
