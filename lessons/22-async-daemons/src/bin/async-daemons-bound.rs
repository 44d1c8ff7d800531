//! Two bounds for a wait that has no end: one inside of the stuck runtime, one outside.

use std::env;
use std::io;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time;
use tokio_util::task::TaskTracker;
use tracing::info;

const GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let wait = match way.to_str() {
        Some("inside") => inside,
        Some("outside") => outside,
        _ => return lesson_log::failure("one of inside, outside"),
    };
    match run(wait) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lesson_log::failure(format!("the service does not start: {error}"))
        }
    }
}

fn run(wait: fn(&Runtime, TaskTracker) -> bool) -> io::Result<()> {
    let runtime =
        Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let tasks = TaskTracker::new();
    // As many as there are worker threads: nobody is left to look at the clock.
    let (begins, has_begun) = mpsc::channel();
    for _ in 0..2 {
        tasks.spawn_on(poll_for_ever(begins.clone()), runtime.handle());
        // Of two at once, one worker may take both. Here `begins` never closes.
        let _ = has_begun.recv();
    }
    info!("the service runs for 1.5 s");
    thread::sleep(Duration::from_millis(1500));
    info!("the service is done");

    // ANCHOR: stop
    tasks.close();
    let all_have_ended = wait(&runtime, tasks);
    info!("all tasks have ended: {all_have_ended}");
    runtime.shutdown_timeout(GRACE);
    info!("the runtime is gone");
    // ANCHOR_END: stop
    Ok(())
}

// ANCHOR: inside
/// A timer of the runtime that it is to bound.
fn inside(runtime: &Runtime, tasks: TaskTracker) -> bool {
    runtime.block_on(async { time::timeout(GRACE, tasks.wait()).await.is_ok() })
}
// ANCHOR_END: inside

// ANCHOR: outside
/// The clock of a thread that runs no task.
fn outside(runtime: &Runtime, tasks: TaskTracker) -> bool {
    let (done, all_have_ended) = mpsc::channel();
    runtime.spawn(async move {
        tasks.wait().await;
        // If nobody listens any more, the bound was over.
        let _ = done.send(());
    });
    all_have_ended.recv_timeout(GRACE).is_ok()
}
// ANCHOR_END: outside

/// Looks for new files, again and again, and has no `.await` anywhere.
async fn poll_for_ever(begins: mpsc::Sender<()>) {
    let _ = begins.send(());
    loop {
        thread::sleep(Duration::from_millis(100));
    }
}
