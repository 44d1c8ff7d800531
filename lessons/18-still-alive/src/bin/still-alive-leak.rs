//! A thread for each connection, and no end for any of them: the count tells.

#[path = "../kernel.rs"]
mod kernel;
#[path = "../registry.rs"]
mod registry;

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    let hangs_up = env::args().nth(1).is_some_and(|option| option == "--hang-up");
    info!("six clients connect");
    let start = Instant::now();
    let mut clients = Vec::new();
    for number in 1..=6 {
        sleep_until(start + number * Duration::from_millis(600));
        clients.push(accept(number, hangs_up)?);
        let registered = registry::alive().len();
        match kernel::names() {
            Ok(names) => {
                info!("threads: {}, registered: {registered}", names.len())
            }
            Err(error) => info!("threads: {error}, registered: {registered}"),
        }
    }
    sleep_until(start + Duration::from_secs(4));
    Ok(())
}

// ANCHOR: accept
/// The client asks once and keeps the connection, in case it wants to ask again.
fn accept(number: u32, hangs_up: bool) -> io::Result<Sender<String>> {
    let (client, requests) = mpsc::channel();
    let _ = client.send("the price".to_owned());
    let name = format!("connection-{number}");
    // Nobody keeps the handle.
    let _ = registry::spawn(&name, move || answer(&requests, hangs_up))?;
    Ok(client)
}

fn answer(requests: &Receiver<String>, hangs_up: bool) {
    // The repair: a client that is silent for 0.9 s is gone.
    let patience =
        if hangs_up { Duration::from_millis(900) } else { Duration::MAX };
    while let Ok(request) = requests.recv_timeout(patience) {
        info!("asked for {request}");
    }
}
// ANCHOR_END: accept

/// Paced against the start: the time that a step takes does not add up.
fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
