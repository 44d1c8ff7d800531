//! A thread for each connection, and no end for any of them: the count tells.

#[path = "../kernel.rs"]
mod kernel;
#[path = "../registry.rs"]
mod registry;

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let hangs_up = match env::args_os().nth(1) {
        None => false,
        Some(option) if option == "--hang-up" => true,
        Some(_) => return lesson_log::failure("the only option is --hang-up"),
    };
    match run(hangs_up) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(hangs_up: bool) -> Result<(), String> {
    info!("six clients connect");
    let start = Instant::now();
    let mut clients = Vec::new();
    for number in 1..=6 {
        sleep_until(start + number * Duration::from_millis(600));
        clients.push(accept(number, hangs_up)?);
        let registered = registry::alive().len();
        match kernel::names() {
            Ok(names) => {
                info!("threads: {}, registered: {registered}", names.len());
            }
            Err(error) => info!("threads: {error}, registered: {registered}"),
        }
    }
    sleep_until(start + Duration::from_secs(4));
    Ok(())
}

// ANCHOR: accept
/// The client asks once and keeps the connection, in case it wants to ask again.
fn accept(number: u32, hangs_up: bool) -> Result<Sender<String>, String> {
    let (client, requests) = mpsc::channel();
    // The receiver is there, in the next line.
    let _ = client.send("the price".to_owned());
    let name = format!("connection-{number}");
    // Nobody keeps the handle.
    drop(registry::spawn(&name, move || answer(&requests, hangs_up))?);
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
