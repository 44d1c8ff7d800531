//! Takes orders over HTTP. The answers are there; what an order is, and how it stops, is
//! to be written.

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use tokio::net::TcpListener;

/// An order, whose whole body was read.
struct Order {
    key: String,
    text: Bytes,
    takes: Duration,
    fails: bool,
}

/// Has an order done: the status and the text of the answer.
async fn take(order: Order) -> (StatusCode, String) {
    // YOUR TURN: a key that is known or in work, the supplier, the work, what is durable.
    let Order { key, text, takes, fails } = order;
    let (bytes, to_fail) = (text.len(), if fails { ", to fail" } else { "" });
    let said =
        format!("{key}, {bytes} bytes, {takes:?}{to_fail}: yet to be written\n");
    (StatusCode::NOT_IMPLEMENTED, said)
}

/// The numbers and keys of the orders that are stored.
async fn stored() -> Vec<(u64, String)> {
    // YOUR TURN
    Vec::new()
}

async fn health() -> (StatusCode, &'static str) {
    // YOUR TURN: 503 as soon as no more orders are taken.
    (StatusCode::OK, "open\n")
}

async fn list() -> String {
    stored().await.iter().map(|(number, key)| format!("{number} {key}\n")).collect()
}

/// From the beginning of this until its answer is sent the order is in work. Where its
/// client leaves, axum drops this future at its `await`.
async fn post(
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    text: Bytes,
) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let value = |name| {
        query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let takes = value("takes").unwrap_or("0").parse().map(Duration::from_millis);
    let key = headers.get("Idempotency-Key").and_then(|key| key.to_str().ok());
    let (Ok(takes), Some(key)) = (takes, key) else {
        return (
            StatusCode::BAD_REQUEST,
            "an order has a key and takes milliseconds\n".to_owned(),
        );
    };
    take(Order {
        key: key.to_owned(),
        text,
        takes,
        fails: value("fails") == Some("panic"),
    })
    .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // YOUR TURN: DATA, GRACE and SUPPLIER, and SIGTERM: the first one and the second.
    let listener =
        TcpListener::bind(("127.0.0.1", env::var("PORT")?.parse()?)).await?;
    let routes = Router::new()
        .route("/health", get(health))
        .route("/orders", get(list).post(post))
        .layer(DefaultBodyLimit::max(16 * 1024));
    axum::serve(listener, routes).await?;
    Ok(())
}
