//! The graceful way: a token says stop, each task ends its step, a tracker waits.

use std::time::Duration;

use tokio::{select, time};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

// ANCHOR: graceful
#[tokio::main(flavor = "current_thread")]
async fn main() {
    lesson_log::init();
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    for uploader in 1..=2 {
        tasks.spawn(upload_files(uploader, stop.clone()));
    }
    info!("the service runs for 1.5 s");
    time::sleep(Duration::from_millis(1500)).await;
    info!("the service is done");

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    info!("every task has ended");
}
// ANCHOR_END: graceful

// ANCHOR: task
/// Begins no file once it is told to stop, and leaves none half uploaded.
async fn upload_files(uploader: u32, stop: CancellationToken) {
    for file in 1.. {
        select! {
            biased; // If both are ready, the stop goes first.
            () = stop.cancelled() => break,
            () = next_file() => {}
        }
        // Outside of the `select!`: the stop does not reach in here.
        upload().await;
        info!("uploader {uploader}: file {file} is complete");
    }
    info!("uploader {uploader}: the connection is closed");
}
// ANCHOR_END: task

/// A file comes after half a second.
async fn next_file() {
    time::sleep(Duration::from_millis(500)).await;
}

/// Takes two seconds.
async fn upload() {
    time::sleep(Duration::from_secs(2)).await;
}
