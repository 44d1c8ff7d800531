//! The same planner on tokio: the task that hangs is aborted, its destructors run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{self, Instant};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    lesson_log::init();
    // Stands for a search service: it takes connections and never answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    plan(silent.local_addr()?).await
}

// ANCHOR: plan
async fn plan(search: SocketAddr) -> io::Result<()> {
    info!("the question goes to 3 sources");
    let deadline = Instant::now() + 2 * SECOND;
    let mut retrievers = JoinSet::new();
    retrievers.spawn(look_up("wiki", SECOND / 5));
    retrievers.spawn(look_up("tickets", SECOND));
    retrievers.spawn(ask("web", search));

    let mut heard = Vec::new();
    // `None` when the set is empty, an error when the time is up.
    while let Ok(Some(ended)) =
        time::timeout_at(deadline, retrievers.join_next()).await
    {
        match ended {
            Ok(Ok(source)) => heard.push(source),
            Ok(Err(error)) => info!("a source fails: {error}"),
            Err(panicked) => info!("a retriever is lost: {panicked}"),
        }
    }
    info!("the answer rests on {} of 3 sources: {}", heard.len(), heard.join(", "));
    // Aborts those that are left and waits until they are gone.
    retrievers.shutdown().await;
    info!("main returns");
    Ok(())
}
// ANCHOR_END: plan

async fn look_up(
    source: &'static str,
    takes: Duration,
) -> io::Result<&'static str> {
    time::sleep(takes).await;
    Ok(source)
}

// ANCHOR: ask
async fn ask(
    source: &'static str,
    service: SocketAddr,
) -> io::Result<&'static str> {
    let _line = Line(source);
    let connection = TcpStream::connect(service).await?;
    connection.try_write(b"what was promised to this customer?\n")?;
    // Here it waits for an answer, and here it is dropped.
    connection.readable().await?;
    Ok(source)
}

/// Says when the task's values are dropped; the connection is closed with them.
struct Line(&'static str);

impl Drop for Line {
    fn drop(&mut self) {
        info!("{} is told to stop", self.0);
    }
}
// ANCHOR_END: ask

const SECOND: Duration = Duration::from_secs(1);
