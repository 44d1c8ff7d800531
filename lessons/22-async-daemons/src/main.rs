//! An upload in the background, and a service that ends before it: who waits?

use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, Builder as Thread};
use std::time::Duration;
use std::{env, io};

use tokio::runtime::{Builder, Runtime};
use tokio::time;
use tracing::info;

const SERVICE: Duration = Duration::from_millis(1500);
const COMPRESSION: Duration = Duration::from_secs(3);
const UPLOAD: Duration = Duration::from_secs(4);
#[rustfmt::skip]
const WAYS: [&str; 6] = ["thread", "task", "busy", "blocking", "stuck", "endless"];
const ENDS: [&str; 4] = ["drop", "timeout", "background", "exit"];

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments =
        env::args_os().skip(1).map(|word| word.display().to_string());
    let way = arguments.next().unwrap_or_else(|| "task".to_owned());
    let end = arguments.next().unwrap_or_else(|| "drop".to_owned());
    let is_known = WAYS.contains(&&*way) && ENDS.contains(&&*end);
    if !is_known || arguments.next().is_some() {
        let (ways, ends) = (WAYS.join(", "), ENDS.join(", "));
        return lesson_log::failure(format!("one of {ways}; then one of {ends}"));
    }
    match run(&way, &end) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lesson_log::failure(format!("the service does not start: {error}"))
        }
    }
}

#[expect(clippy::exit, reason = "it is one of the ends that are compared")]
// ANCHOR: main
fn run(way: &str, end: &str) -> io::Result<()> {
    let runtime = runtime()?;
    start(way, &runtime)?;
    info!("the service runs for 1.5 s");
    thread::sleep(SERVICE);
    info!("the service is done");
    match end {
        "timeout" => runtime.shutdown_timeout(Duration::from_secs(1)),
        "background" => runtime.shutdown_background(),
        "exit" => process::exit(0),
        _ => drop(runtime),
    }
    info!("the runtime is gone");
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: start
/// Starts the upload in the background. Nobody keeps a handle.
fn start(way: &str, runtime: &Runtime) -> io::Result<()> {
    match way {
        "thread" => drop(Thread::new().name("thread".to_owned()).spawn(upload)?),
        "task" => drop(runtime.spawn(upload_async())),
        "busy" => drop(runtime.spawn(compress_and_upload())),
        "blocking" => drop(runtime.spawn_blocking(upload)),
        "stuck" => drop(runtime.spawn(async { poll_for_ever() })),
        _ => drop(runtime.spawn_blocking(poll_for_ever)),
    }
    Ok(())
}
// ANCHOR_END: start

// ANCHOR: uploads
/// For a thread of its own: it blocks.
fn upload() {
    let _connection = Connection;
    thread::sleep(UPLOAD);
    info!("the upload is complete");
}

/// The same for a task: while it waits, its thread is free for other tasks.
async fn upload_async() {
    let _connection = Connection;
    time::sleep(UPLOAD).await;
    info!("the upload is complete");
}

async fn compress_and_upload() {
    let _connection = Connection;
    // Three seconds of computing: no `.await` in it.
    thread::sleep(COMPRESSION);
    info!("the file is compressed");
    time::sleep(UPLOAD).await;
    info!("the upload is complete");
}

// ANCHOR_END: uploads

/// Looks for new files, again and again, and has no `.await` anywhere.
fn poll_for_ever() {
    let _connection = Connection;
    loop {
        thread::sleep(Duration::from_millis(100));
    }
}

struct Connection;

impl Drop for Connection {
    fn drop(&mut self) {
        info!("the connection is closed");
    }
}

/// As `#[tokio::main]` makes it, with one thread for tasks, and with names.
fn runtime() -> io::Result<Runtime> {
    let started = AtomicU32::new(0);
    let name = move || match started.fetch_add(1, Ordering::Relaxed) {
        0 => "worker".to_owned(),
        number => format!("blocking-{number}"),
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name_fn(name)
        .enable_time()
        .build()?;
    // Waits until the worker has started: the first thread gets its name.
    runtime.block_on(runtime.spawn(async {})).map_err(io::Error::other)?;
    Ok(runtime)
}
