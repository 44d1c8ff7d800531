//! The endpoint `/metrics`, a server on one thread.

use std::io;
use std::net::SocketAddr;

use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::{Router, extract::State, routing::get};
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub struct Endpoint {
    pub address: SocketAddr,
    runtime: Runtime,
    listener: TcpListener,
}

// ANCHOR: endpoint
impl Endpoint {
    /// On the caller's thread, so that an error is told before the work begins.
    pub fn bind(port: u16, runtime: Runtime) -> io::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)))?;
        Ok(Self { address: listener.local_addr()?, runtime, listener })
    }

    /// Nothing ends it but a panic, and the end of the process.
    pub fn serve(self, registry: Registry) -> io::Result<()> {
        let routes =
            Router::new().route("/metrics", get(expose)).with_state(registry);
        self.runtime.block_on(async { axum::serve(self.listener, routes).await })
    }
}

async fn expose(State(registry): State<Registry>) -> impl IntoResponse {
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .map(|text| ([(CONTENT_TYPE, TEXT_FORMAT)], text))
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}
// ANCHOR_END: endpoint
