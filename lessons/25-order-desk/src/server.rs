//! What the shop says over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};

use crate::desk::Desk;
use crate::order::{self, Order};
use crate::store::Store;

const LONGEST_TEXT: usize = 16 * 1024;

pub type Answer = (StatusCode, String);

pub struct Shop {
    pub desk: Arc<Desk>,
    pub store: Store,
    pub supplier: Option<String>,
}

pub fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/orders", post(take).get(list))
        .layer(DefaultBodyLimit::max(LONGEST_TEXT))
        .with_state(shop)
}

async fn health(State(shop): State<Arc<Shop>>) -> Answer {
    if shop.desk.is_open() {
        (StatusCode::OK, "open\n".to_owned())
    } else {
        closed()
    }
}

async fn list(State(shop): State<Arc<Shop>>) -> Answer {
    let list = order::blocking(&shop, |shop| shop.store.list()).await;
    list.map_or_else(|failed| failed, |lines| (StatusCode::OK, lines))
}

// ANCHOR: take
/// Called when the whole body was read.
async fn take(
    State(shop): State<Arc<Shop>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    text: String,
) -> Answer {
    let Some(in_work) = shop.desk.enter() else {
        return closed();
    };
    let order = Order::read(&query.unwrap_or_default(), &headers, text);
    let Some(order) = order else {
        return (StatusCode::BAD_REQUEST, "not an order\n".to_owned());
    };
    // A task of its own: a client that leaves ends this function at its `await`, and
    // the order goes on.
    let work = tokio::spawn(async move { (order.work(&shop).await, in_work) });
    match work.await {
        // From here on it is no longer in work.
        Ok((answer, _in_work)) => answer,
        Err(panicked) => order::failed(panicked),
    }
}
// ANCHOR_END: take

fn closed() -> Answer {
    (StatusCode::SERVICE_UNAVAILABLE, "closed\n".to_owned())
}
