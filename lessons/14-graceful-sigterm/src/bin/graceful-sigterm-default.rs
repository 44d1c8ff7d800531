//! The same service without a handler: SIGTERM ends it wherever its threads are.

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
use std::{env, future, panic};

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
    // ANCHOR: change
    let (queue, _writer) = orders::start(file)?;
    // The change: nothing ever stops the server, and no signal has a handler.
    let server = server::start(listener, queue, future::pending())?;
    server.thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    // ANCHOR_END: change
    Ok(())
}
