//! The same planner on tokio: the task that hangs is aborted, its destructors run.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, io};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{self, Instant};
use tracing::info;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    let ended = match env::args_os().nth(1) {
        None => run(false).await,
        Some(mode) if mode == "hangs-up" => run(true).await,
        Some(_) => {
            return lesson_log::failure("the only argument is hangs-up");
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format_args!(
            "cannot start the search service: {error}"
        )),
    }
}

async fn run(hangs_up: bool) -> io::Result<()> {
    // Stands for a search service: it takes connections and never answers.
    let service = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = service.local_addr()?;
    if hangs_up {
        tokio::spawn(async move {
            let (asking, _) = service.accept().await?;
            asking.readable().await?;
            asking.try_read(&mut [0; 64])
        });
        plan(address).await;
    } else {
        plan(address).await;
        drop(service);
    }
    Ok(())
}

// ANCHOR: plan
async fn plan(search: SocketAddr) {
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
    // A new connection has room for so much.
    connection.try_write(b"what was promised to this customer?\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\n") {
        // Here it waits for an answer, and here it is dropped.
        connection.readable().await?;
        let mut part = [0; 1024];
        match connection.try_read(&mut part) {
            Ok(0) => {
                return Err(io::Error::other("it hung up without a whole answer"));
            }
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
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
