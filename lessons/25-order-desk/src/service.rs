//! A small service: its `server` takes orders, and its `worker` does one after the other.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};
use tracing::info;

pub struct Service {
    /// How many orders came in and are not done.
    pub in_work: Arc<AtomicUsize>,
    /// Closes when the worker has ended, and it ends after the server.
    pub ended: Receiver<()>,
}

#[derive(Clone)]
struct Desk {
    orders: Sender<Order>,
    in_work: Arc<AtomicUsize>,
}

struct Order {
    takes: Duration,
    answer: oneshot::Sender<u64>,
}

// ANCHOR: take
type Answer = (StatusCode, String);

async fn take(State(desk): State<Desk>, RawQuery(query): RawQuery) -> Answer {
    let takes = query.and_then(|query| query.strip_prefix("takes=")?.parse().ok());
    let takes = Duration::from_millis(takes.unwrap_or(0));
    let (answer, answered) = oneshot::channel();
    desk.in_work.fetch_add(1, Ordering::Relaxed);
    // If the worker is gone, so is `answer`, and that is seen in the next line.
    let _ = desk.orders.send(Order { takes, answer });
    match answered.await {
        Ok(number) => (StatusCode::CREATED, format!("{number}\n")),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "nobody works\n".to_owned()),
    }
}
// ANCHOR_END: take

/// Does one order after the other, until nobody can send one any more.
fn work(received: Receiver<Order>, in_work: &AtomicUsize) {
    for (number, Order { takes, answer }) in (1..).zip(received) {
        info!("order {number} is in work");
        thread::sleep(takes);
        info!("order {number} is done");
        in_work.fetch_sub(1, Ordering::Relaxed);
        // An error says that the client has left.
        let _ = answer.send(number);
    }
}

pub fn listen(port: &str) -> Result<TcpListener, String> {
    let number = port.parse::<u16>();
    let number = number.map_err(|_| format!("not a port: {port}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number));
    listener.map_err(|error| format!("cannot listen on port {port}: {error}"))
}

pub fn start(listener: TcpListener, stop: Arc<Notify>) -> Result<Service, String> {
    let cannot = |error: io::Error| format!("cannot serve: {error}");
    let address = listener.local_addr().map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(cannot)?;
    let in_work = Arc::new(AtomicUsize::new(0));
    let (orders, received) = mpsc::channel();
    // Nothing is sent here.
    let (alive, ended) = mpsc::channel();
    let counted = Arc::clone(&in_work);
    start_thread("worker", move || {
        work(received, &counted);
        drop::<Sender<()>>(alive);
    })?;
    let desk = Desk { orders, in_work: Arc::clone(&in_work) };
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let routes = Router::new()
            .route("/health", get("open\n"))
            .route("/orders", post(take))
            .with_state(desk);
        axum::serve(listener, routes)
            .with_graceful_shutdown(stop.notified_owned())
            .await
    };
    start_thread("server", move || drop(runtime.block_on(serve)))?;
    info!("listening on http://{address}");
    Ok(Service { in_work, ended })
}

fn start_thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    let cannot = |error| format!("cannot start the thread {name}: {error}");
    thread.map(drop).map_err(cannot)
}
