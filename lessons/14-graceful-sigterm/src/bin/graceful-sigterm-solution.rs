//! Solution: first nobody new comes in, then the queue is closed.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<(), String> {
    let signals = Signals::new([SIGTERM, SIGINT]);
    let mut signals = signals.map_err(|e| format!("cannot hear signals: {e}"))?;
    let port = env::args_os().nth(1).unwrap_or_else(|| "8080".into());
    let port = port.to_str().and_then(|port| port.parse().ok());
    let port = port.ok_or("the only argument is a port")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let file = open_alone("tickets.txt")
        .map_err(|error| format!("cannot write tickets.txt: {error}"))?;
    let (queue, sold) = mpsc::channel();
    let office = Arc::new(Office { queue: Mutex::new(Some(queue)) });
    let printer = start("printer", move || {
        print_tickets(&sold, file)
            .map_err(|error| format!("cannot write tickets.txt: {error}"))
    })?;
    let stop = Arc::new(Notify::new());
    let (state, stopped) = (Arc::clone(&office), Arc::clone(&stop));
    let server = start("server", move || {
        serve(listener, state, stopped)
            .map_err(|error| format!("cannot serve: {error}"))
    })?;

    signals.forever().next();
    info!("the box office closes");
    // ANCHOR: solution
    stop.notify_one();
    let served = join(server).inspect(|()| info!("every customer has an answer"));
    // Nobody is left who could sell a ticket.
    office.close();
    let printed = join(printer).inspect(|()| info!("every ticket is printed"));
    // ANCHOR_END: solution
    all([served, printed])
}

/// Where tickets are sold, until it is closed.
struct Office {
    queue: Mutex<Option<Sender<u32>>>,
}

impl Office {
    /// Whether it is still open, and somebody prints.
    fn sell(&self, tickets: u32) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().is_some_and(|queue| queue.send(tickets).is_ok())
    }

    fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Until it is told to stop, and then as long as requests are in flight.
fn serve(
    listener: TcpListener,
    office: Arc<Office>,
    stop: Arc<Notify>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime =
        Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        info!("listening on http://{address}");
        let routes = Router::new().route("/tickets/{count}", post(sell));
        axum::serve(listener, routes.with_state(office))
            .with_graceful_shutdown(stop.notified_owned())
            .await
    })
}

async fn sell(
    Path(tickets): Path<u32>,
    State(office): State<Arc<Office>>,
) -> (StatusCode, &'static str) {
    take_money(tickets).await;
    if office.sell(tickets) {
        (StatusCode::ACCEPTED, "the tickets are yours\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the box office is closed\n")
    }
}

/// The bank takes half a second for a ticket.
async fn take_money(tickets: u32) {
    tokio::time::sleep(Duration::from_millis(500).saturating_mul(tickets)).await;
    info!("{tickets} tickets are paid");
}

/// Takes 1.2 s for a customer.
fn print_tickets(sold: &Receiver<u32>, mut file: File) -> io::Result<()> {
    file.set_len(0)?;
    for tickets in sold {
        thread::sleep(Duration::from_millis(1200));
        file.write_all(format!("{tickets} tickets\n").as_bytes())?;
        info!("{tickets} tickets are in tickets.txt");
    }
    Ok(())
}

fn start(
    name: &str,
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<JoinHandle<Result<(), String>>, String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// What the thread says at its end.
fn join(thread: JoinHandle<Result<(), String>>) -> Result<(), String> {
    thread.join().unwrap_or_else(|_| Err("a thread has panicked".to_owned()))
}

/// Each error, if there are any.
fn all(ends: [Result<(), String>; 2]) -> Result<(), String> {
    let errors: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// For this run alone: two would mix their tickets.
fn open_alone(path: &str) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    file.try_lock()?;
    Ok(file)
}
