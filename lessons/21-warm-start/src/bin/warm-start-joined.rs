//! The same service, and `main` joins the warm-up: until then it does not stop.

#[path = "../model.rs"]
mod model;
#[path = "../server.rs"]
mod server;
#[path = "../stop.rs"]
mod stop;

use std::env;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::watch::{self, Sender};
use tracing::{error, info};

use server::Warm;
use stop::Stop;

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let port = words.next().unwrap_or_else(|| "8080".to_owned());
    let fate = words.next().unwrap_or_else(|| "warm".to_owned());
    if !["warm", "fail", "panic"].contains(&&*fate) {
        return lesson_log::failure(format!(
            "the warm-up can `fail` or `panic`, not `{fate}`"
        ));
    }
    match run(&port, fate) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot serve on port {port}: {why}"))
        }
    }
}

fn run(port: &str, fate: String) -> Result<(), Box<dyn Error>> {
    let stop = Stop::new()?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    let address = listener.local_addr()?;
    let (warm, model) = watch::channel(None);
    // Everybody needs this thread.
    let http = stop.needs("http", move || server::serve(listener, model))?;
    let warming = stop::start("warm-up", move || warm_up(&warm, &fate))?;
    info!("listening on http://{address}");

    let stopped = stop.wait(http);
    // ANCHOR: change
    // The change: nobody needs the model any more, and `main` waits for it.
    warming.join().map_err(|_| "the warm-up has panicked")?;
    // ANCHOR_END: change
    Ok(stopped?)
}

fn warm_up(warm: &Sender<Warm>, fate: &str) {
    match model::load(fate) {
        Ok(model) => {
            warm.send_replace(Some(Arc::new(model)));
            info!("the model is warm");
        }
        Err(reason) => error!("the model cannot be loaded: {reason}"),
    }
    // Here `warm` is dropped, also by a panic: nobody waits for a dead thread.
}
