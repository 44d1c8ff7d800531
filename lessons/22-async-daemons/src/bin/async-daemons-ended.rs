//! Two tracked uploads, and one panics. The tracker has seen both end; a handle knows how.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time;
use tokio_util::task::TaskTracker;
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    if way != "tracker" && way != "handles" {
        return lesson_log::failure("one of tracker, handles");
    }
    // ANCHOR: ended
    let tasks = TaskTracker::new();
    let uploads = [1, 2].map(|file| tasks.spawn(upload(file)));
    tasks.close();
    tasks.wait().await;
    info!("every task has ended");
    if way == "handles" {
        for upload in uploads {
            if let Err(error) = upload.await {
                return lesson_log::failure(error);
            }
        }
    }
    ExitCode::SUCCESS
    // ANCHOR_END: ended
}

/// Takes half a second for each file before it, and cannot read the first.
async fn upload(file: u32) {
    time::sleep(file * Duration::from_millis(500)).await;
    assert!(file > 1, "file {file} cannot be read");
    info!("file {file} is complete");
}
