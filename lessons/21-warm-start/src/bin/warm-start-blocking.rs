//! The same service with a `OnceLock`: one request that waits holds up all others.

#[path = "../model.rs"]
mod model;
#[path = "../stop.rs"]
mod stop;

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::{env, io};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::runtime::Builder;
use tracing::{error, info};

use model::Model;
use stop::Stop;

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let port = words.next().unwrap_or_else(|| "8080".to_owned());
    let fate = words.next().unwrap_or_else(|| "warm".to_owned());
    if !["warm", "fail", "panic"].contains(&&*fate) {
        return lesson_log::failure(format!(
            "the warm-up can `fail` or `panic`, not `{fate}`"
        ));
    }
    match run(&port, fate) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot serve on port {port}: {why}"))
        }
    }
}

fn run(port: &str, fate: String) -> Result<(), Box<dyn Error>> {
    let stop = Stop::new()?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    let address = listener.local_addr()?;
    let http = stop.needs("http", move || serve(listener))?;
    stop::start("warm-up", move || warm_up(&fate))?;
    info!("listening on http://{address}");
    Ok(stop.wait(http)?)
}

// ANCHOR: change
static MODEL: OnceLock<Model> = OnceLock::new();

fn warm_up(fate: &str) {
    match model::load(fate) {
        Ok(model) => {
            // The change: it is set, or it is never set.
            MODEL.get_or_init(|| model);
            info!("the model is warm");
        }
        Err(reason) => error!("the model cannot be loaded: {reason}"),
    }
}
// ANCHOR_END: change

fn serve(listener: TcpListener) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/nearest/{word}", get(nearest));
    listener.set_nonblocking(true)?;
    // One thread serves every request: none of them may block it.
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

// ANCHOR: wait
async fn nearest(Path(word): Path<String>) -> (StatusCode, &'static str) {
    info!("what is nearest to {word}?");
    // The change: the thread waits, and with it every request that it serves.
    let nearest = MODEL.wait().get(&*word);
    nearest
        .map_or((StatusCode::NOT_FOUND, "unknown"), |word| (StatusCode::OK, word))
}
// ANCHOR_END: wait
