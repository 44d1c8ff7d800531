//! The same end in order, asked for through tokio: no second signal is listened to.

#[path = "../orders.rs"]
mod orders;
#[path = "../server.rs"]
mod server;
#[expect(dead_code, reason = "nobody waits for these threads with a deadline")]
#[path = "../worker.rs"]
mod worker;

use std::error::Error;
use std::fs::File;
use std::process::ExitCode;
use std::{env, panic};

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let arguments: Vec<_> = env::args().skip(1).collect();
    let argument = |n: usize, default| arguments.get(n).map_or(default, |a| &**a);
    match run(argument(0, "8080"), argument(1, "orders.txt")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let cannot_write = |error| format!("cannot write {path}: {error}");
    let listener = server::listen(port)?;
    // Not earlier: a refused start must not empty the file of a running service.
    let file = File::create(path).map_err(cannot_write)?;
    let (queue, writer) = orders::start(file)?;
    // ANCHOR: change
    // The change: the server's thread listens to the signal, and to the first one only.
    let server = server::start(listener, queue, async {
        let mut terminate =
            signal(SignalKind::terminate()).expect("SIGTERM can be handled");
        terminate.recv().await;
        info!("SIGTERM: no more orders");
    })?;
    // ANCHOR_END: change
    server.thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("every request has its answer");
    let written = writer.thread.join();
    written.unwrap_or_else(|p| panic::resume_unwind(p)).map_err(cannot_write)?;
    info!("every order is in {path}");
    Ok(())
}
