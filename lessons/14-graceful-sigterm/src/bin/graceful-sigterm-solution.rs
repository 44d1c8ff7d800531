//! Solution: first nobody new comes in, then the queue is closed.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, panic, thread};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::oneshot;
use tracing::info;

fn main() -> Result<(), Box<dyn Error>> {
    lesson_log::init();
    let port = env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let file = File::create("tickets.txt")?;
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    info!("listening on http://{}", listener.local_addr()?);
    let (queue, sold) = mpsc::channel();
    let office = Arc::new(Office { queue: Mutex::new(Some(queue)) });
    let printer = thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || print_tickets(&sold, file))?;
    let (stop, stopped) = oneshot::channel();
    let state = Arc::clone(&office);
    let server = thread::Builder::new()
        .name("server".to_owned())
        .spawn(move || serve(listener, state, stopped))?;

    signals.forever().next();
    info!("the box office closes");
    // ANCHOR: solution
    drop(stop);
    server.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("every customer has an answer");
    // Nobody is left who could sell a ticket.
    office.close();
    printer.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("every ticket is printed");
    // ANCHOR_END: solution
    Ok(())
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

/// Until `stopped`, and then as long as requests are in flight.
fn serve(
    listener: TcpListener,
    office: Arc<Office>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let routes = Router::new().route("/tickets/{count}", post(sell));
        axum::serve(listener, routes.with_state(office))
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
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
    tokio::time::sleep(tickets * Duration::from_millis(500)).await;
    info!("{tickets} tickets are paid");
}

/// Takes 1.2 s for a customer.
fn print_tickets(sold: &Receiver<u32>, mut file: File) -> io::Result<()> {
    for tickets in sold {
        thread::sleep(Duration::from_millis(1200));
        file.write_all(format!("{tickets} tickets\n").as_bytes())?;
        info!("{tickets} tickets are in tickets.txt");
    }
    Ok(())
}
