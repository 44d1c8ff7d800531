//! A handler that blocks, on a runtime of several threads, and a probe that asks for something else.

#[path = "../customer.rs"]
mod customer;
#[path = "../model.rs"]
mod model;

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tracing::info;

use model::Model;

static MODEL: OnceLock<Model> = OnceLock::new();

fn main() -> ExitCode {
    lesson_log::init();
    let mut words = env::args_os().skip(1).map(|word| word.display().to_string());
    let workers = words.next().unwrap_or_else(|| "3".to_owned());
    let app = match &*words.next().unwrap_or_else(|| "blocking".to_owned()) {
        "blocking" => Router::new().route("/nearest/tea", get(blocking)),
        "spawn-blocking" => Router::new().route("/nearest/tea", get(spawned)),
        way => {
            return lesson_log::failure(format!(
                "`{way}` is neither blocking nor spawn-blocking"
            ));
        }
    };
    let Some(workers) =
        workers.parse().ok().filter(|workers| (1..=64).contains(workers))
    else {
        return lesson_log::failure(format!(
            "`{workers}` is not a number from 1 to 64"
        ));
    };
    match run(workers, app.route("/health", get(async || "alive"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("the customers are not served: {why}"))
        }
    }
}

// ANCHOR: ways
async fn blocking() -> Result<&'static str, StatusCode> {
    wait_for_the_model()
}

async fn spawned() -> Result<&'static str, StatusCode> {
    // The wait has a thread to itself, and this task gives its own back.
    let waited = spawn_blocking(wait_for_the_model).await;
    waited.unwrap_or(Err(StatusCode::INTERNAL_SERVER_ERROR))
}

fn wait_for_the_model() -> Result<&'static str, StatusCode> {
    MODEL.wait().get("tea").copied().ok_or(StatusCode::NOT_FOUND)
}
// ANCHOR_END: ways

fn run(workers: usize, app: Router) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let service = listener.local_addr()?;
    start("warm-up", || {
        model::load("warm").map(|model| MODEL.get_or_init(|| model))
    })?;
    let customer = start("customer", move || {
        customer::ask(service, &["/health", "/nearest/tea"])
    })?;
    start("http", move || serve(listener, workers, app))?;
    info!("{workers} worker threads serve a customer");

    thread::sleep(Duration::from_secs(1));
    let asked = Instant::now();
    let probe = customer::ask(service, &["/health"]);
    info!("the probe took {:.1} s", asked.elapsed().as_secs_f64());
    let customer = customer.join();
    probe?;
    Ok(customer.map_err(|_| "the customer has panicked")??)
}

fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| format!("the thread {name} does not start: {error}"))
}

fn serve(listener: TcpListener, workers: usize, app: Router) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?
        .block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
        })
}
