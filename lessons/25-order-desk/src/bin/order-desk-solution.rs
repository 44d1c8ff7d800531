//! Solution: an order desk that keeps the contract, with axum and SQLite.
//!
//! The `server` takes each `order` while the `desk` is open, and answers when the `store`
//! has it. `settings` are the environment's.

#[path = "../desk.rs"]
mod desk;
#[path = "../order.rs"]
mod order;
#[path = "../server.rs"]
mod server;
#[path = "../settings.rs"]
mod settings;
#[path = "../store.rs"]
mod store;

use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::info;

use crate::desk::Desk;
use crate::server::{Shop, routes};
use crate::settings::Settings;
use crate::store::Store;

/// For the last answers to reach their sockets, beside clients that never finish.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(left) => lesson_log::failure(format!("unfinished: {left}")),
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<usize, String> {
    let settings = Settings::read()?;
    let runtime = Builder::new_multi_thread()
        .thread_name("server")
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let left = runtime.block_on(serve(settings));
    // By its drop it would wait for a thread that waits for the disk.
    runtime.shutdown_background();
    left
}

// ANCHOR: serve
/// How many orders are unfinished at the end.
async fn serve(settings: Settings) -> Result<usize, String> {
    let mut asked = listen_to_signals()
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    let store = Store::open(&settings.data)
        .map_err(|error| format!("cannot open the orders: {error}"))?;
    let (desk, stop) = (Arc::new(Desk::default()), Arc::new(Notify::new()));
    let shop = Shop { desk: Arc::clone(&desk), store, supplier: settings.supplier };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await;
    let listener = listener
        .map_err(|error| format!("cannot listen on {}: {error}", settings.port))?;
    let server = axum::serve(listener, routes(Arc::new(shop)))
        .with_graceful_shutdown(Arc::clone(&stop).notified_owned());
    let mut server = tokio::spawn(server.into_future());
    info!("listening on http://127.0.0.1:{}", settings.port);

    tokio::select! {
        _ = asked.recv() => {}
        _ = &mut server => return Err("the server has ended".to_owned()),
    }
    let deadline = Instant::now() + settings.grace;
    desk.close();
    stop.notify_one();
    if timeout_at(deadline, desk.all_left()).await.is_ok() {
        // Without clients that never finish, the server ends as soon as all is sent.
        let _ = timeout(LAST_ANSWERS, server).await;
    }
    Ok(desk.in_work())
}
// ANCHOR_END: serve

/// The second signal ends the process, also as process 1 and while the first is heard.
fn listen_to_signals() -> io::Result<Signal> {
    let asked = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(
        SIGTERM,
        128 + SIGTERM,
        Arc::clone(&asked),
    )?;
    flag::register(SIGTERM, asked)?;
    signal(SignalKind::terminate())
}
