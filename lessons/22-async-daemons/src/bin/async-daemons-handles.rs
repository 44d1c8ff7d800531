//! Four handles that are let go of while their work runs, and what becomes of it.

use std::thread;
use std::time::Duration;

use tokio::task::{self, JoinSet};
use tokio::time;
use tracing::info;

const UPLOAD: Duration = Duration::from_secs(1);

// ANCHOR: handles
#[tokio::main(flavor = "current_thread")]
async fn main() {
    lesson_log::init();
    let handle = tokio::spawn(upload("the task whose handle is dropped"));
    let mut set = JoinSet::new();
    set.spawn(upload("the task in a dropped set"));
    let aborted = tokio::spawn(upload("the aborted task"));
    let blocking = task::spawn_blocking(|| {
        thread::sleep(UPLOAD);
        info!("the aborted blocking job is complete");
    });

    time::sleep(Duration::from_millis(500)).await;
    info!("let go of all four");
    drop(handle);
    drop(set);
    aborted.abort();
    blocking.abort();

    time::sleep(Duration::from_millis(1250)).await;
    info!("the service is done");
}
// ANCHOR_END: handles

async fn upload(name: &'static str) {
    let _connection = Connection(name);
    time::sleep(UPLOAD).await;
    info!("{name} is complete");
}

struct Connection(&'static str);

impl Drop for Connection {
    fn drop(&mut self) {
        info!("{} closes its connection", self.0);
    }
}
