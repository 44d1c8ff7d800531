//! What the service answers, by a server of one thread.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::runtime::Builder;
use tokio::sync::watch::Receiver;
use tracing::info;

use crate::model::Model;

/// First `None`, later the model. Behind an `Arc`, so that a request need not hold the channel's
/// lock while it uses the model.
pub type Warm = Option<Arc<Model>>;

type Answer = (StatusCode, &'static str);

// ANCHOR: serve
pub fn serve(listener: TcpListener, model: Receiver<Warm>) -> io::Result<()> {
    let app = Router::new()
        .route("/health", get(async || "alive"))
        .route("/ready", get(ready))
        .route("/nearest/{word}", get(nearest))
        .with_state(model);
    listener.set_nonblocking(true)?;
    // One thread serves every request: none of them may block it. With a clock: axum sleeps when
    // there are no descriptors left.
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    })
}

async fn nearest(
    State(mut model): State<Receiver<Warm>>,
    Path(word): Path<String>,
) -> Answer {
    info!("what is nearest to {word}?");
    // Only this request waits. An error: there is no model, and no sender any more.
    let model = match model.wait_for(Option::is_some).await {
        // Cloned, because what `wait_for` gives is a read lock.
        Ok(warm) => warm.clone(),
        Err(_) => None,
    };
    let Some(model) = model else {
        return (StatusCode::SERVICE_UNAVAILABLE, "there is no model");
    };
    model
        .get(&*word)
        .map_or((StatusCode::NOT_FOUND, "unknown"), |word| (StatusCode::OK, word))
}
// ANCHOR_END: serve

async fn ready(State(model): State<Receiver<Warm>>) -> Answer {
    match *model.borrow() {
        Some(_) => (StatusCode::OK, "ready"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    }
}
