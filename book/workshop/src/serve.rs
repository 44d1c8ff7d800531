//! Serves the built book on this machine, and stops on time.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::live::door::policy;
use crate::live::{self, Bench};

/// How long open connections may take to end once the reader is told to stop. A browser keeps
/// some open for minutes; what it has not asked for by then it will not miss.
const GRACE: Duration = Duration::from_millis(300);

/// Takes a port of 127.0.0.1; port 0 takes a free one.
///
/// # Errors
///
/// If the port is taken or not allowed: one line that names it and the flag that chooses another.
pub fn bind(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => "is taken".to_owned(),
            io::ErrorKind::PermissionDenied => "needs a privilege".to_owned(),
            _ => format!("cannot be used ({error})"),
        };
        anyhow::anyhow!("port {port} {reason}; choose another one with --port, or --port 0 for any")
    })
}

/// Serves a directory until SIGINT or SIGTERM; then gives open connections a moment to end, and returns.
///
/// The pages may run what `bench` has. `ready` is called once the signals are handled and requests are about to be answered.
///
/// # Errors
///
/// If the system refuses a signal handler or the listener, and what `ready` says.
pub fn serve(
    listener: TcpListener,
    directory: &Path,
    bench: &Arc<Bench>,
    ready: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let pages = pages(directory, bench)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, mut stopped) = watch::channel(());
        let server = axum::serve(listener, pages).with_graceful_shutdown(async move {
            // An error means that the sender is gone: that is a reason to stop, too.
            let _ = stopped.changed().await;
        });
        ready()?;
        tokio::pin! { let server = server.into_future(); }
        tokio::select! {
            result = &mut server => return result.context("the server stopped"),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // First what runs: its streams would take up the others' time.
        bench.close();
        stop.send_replace(());
        // Time over is as good an end as all connections closed.
        let _ = tokio::time::timeout(GRACE, server).await;
        Ok(())
    });
    // Dropping the runtime would wait for a file that is being read.
    runtime.shutdown_background();
    result
}

fn pages(directory: &Path, bench: &Arc<Bench>) -> Result<Router> {
    let not_found = ServeFile::new(directory.join("404.html"));
    let files = ServeDir::new(directory).not_found_service(not_found);
    // The next build of the book has to be seen without a forced reload.
    let fresh = SetResponseHeaderLayer::overriding(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache"),
    );
    let sealed =
        middleware::from_fn_with_state((Arc::clone(bench), policy(directory)?), live::sealed);
    let api = Arc::clone(bench).router();
    Ok(Router::new().nest("/api", api).fallback_service(files).layer(fresh).layer(sealed))
}
