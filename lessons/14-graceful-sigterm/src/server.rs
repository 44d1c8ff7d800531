//! The HTTP server, in a thread of its own.

use std::ffi::OsStr;
use std::fs::File;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use signal_hook::iterator::Handle;
use tokio::runtime::{Builder, Runtime};
use tracing::info;

use crate::orders::Orders;
use crate::worker::Worker;

pub fn listen(port: &OsStr) -> Result<TcpListener, String> {
    let shown = port.display();
    let number = port.to_str().and_then(|port| port.parse().ok());
    let number = number.ok_or_else(|| format!("not a port: {shown}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number));
    listener.map_err(|error| format!("cannot listen on port {shown}: {error}"))
}

/// With a clock: without one, axum panics when no descriptor is left for a connection.
pub fn runtime() -> Result<Runtime, String> {
    // tokio takes six descriptors, and panics if some of them are not to be had. The
    // rest is for customers.
    let room: io::Result<Vec<_>> =
        (0..12).map(|_| File::open("/dev/null")).collect();
    let runtime = room.map(drop).and_then(|()| {
        Builder::new_current_thread().enable_io().enable_time().build()
    });
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))
}

// ANCHOR: server
/// Serves until `stop` is ready, and then as long as requests are in flight.
pub fn start(
    runtime: Runtime,
    listener: TcpListener,
    orders: Arc<Orders>,
    bell: Handle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Worker, String> {
    let cannot = |error: io::Error| format!("cannot serve: {error}");
    let address = listener.local_addr().map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let serve = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let routes = Router::new().route("/orders", post(take)).with_state(orders);
        axum::serve(listener, routes).with_graceful_shutdown(stop).await
    };
    let work = move || runtime.block_on(serve).map_err(cannot);
    let server = Worker::spawn("server", bell, work)?;
    info!("listening on http://{address}");
    Ok(server)
}
// ANCHOR_END: server

// ANCHOR: take
/// The body says what is ordered; it is read to its end, and not looked at here.
async fn take(State(orders): State<Arc<Orders>>, _: Bytes) -> (StatusCode, String) {
    let _inside = Arc::clone(&orders.inside);
    info!("an order comes in");
    check_payment().await;
    let Some(order) = orders.accept() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "try again later\n".to_owned());
    };
    info!("order {order} is accepted");
    (StatusCode::ACCEPTED, format!("order {order} is accepted\n"))
}
// ANCHOR_END: take

/// Asks the bank, which takes a second and a half.
async fn check_payment() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}
