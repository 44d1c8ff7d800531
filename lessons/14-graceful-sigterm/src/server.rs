//! The HTTP server, in a thread of its own.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tracing::info;

use crate::orders::Queue;
use crate::worker::Worker;

pub fn listen(port: &str) -> Result<TcpListener, String> {
    let cannot = |error| format!("cannot listen on port {port}: {error}");
    let number = port.parse().map_err(|_| format!("not a port: {port}"))?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).map_err(cannot)
}

// ANCHOR: server
/// Serves until `stop` is ready, and then as long as requests are in flight.
pub fn start(
    listener: TcpListener,
    queue: Queue,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Worker<io::Result<()>>> {
    info!("listening on http://{}", listener.local_addr()?);
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let routes = Router::new().route("/orders", post(take)).with_state(queue);
        axum::serve(listener, routes).with_graceful_shutdown(stop).await
    };
    Worker::spawn("server", move || runtime.block_on(serve))
}

async fn take(State(queue): State<Queue>) -> (StatusCode, String) {
    info!("an order comes in");
    check_payment().await;
    let Some(order) = queue.accept() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "try again later\n".to_owned());
    };
    info!("order {order} is accepted");
    (StatusCode::ACCEPTED, format!("order {order} is accepted\n"))
}
// ANCHOR_END: server

/// Asks the bank, which takes a second and a half.
async fn check_payment() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}
