//! Two seconds for each answer: the limit begins anew with every one that comes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    // Stands for a search service: it takes connections and never answers. Leaked,
    // because dropped at the end of `main` it would wake `web`.
    let silent = Box::leak(Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?));
    match env::args().nth(1).as_deref() {
        None => plan(silent.local_addr()?)?,
        // Nobody listens on port 1.
        Some("down") => plan((Ipv4Addr::LOCALHOST, 1).into())?,
        Some(other) => {
            eprintln!("the search can be `down`, not `{other}`");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(search: SocketAddr) -> io::Result<()> {
    info!("the question goes to 3 sources");
    let (answers, collected) = mpsc::channel();
    start("wiki", &answers, || look_up(SECOND / 5))?;
    start("tickets", &answers, || look_up(SECOND))?;
    start("web", &answers, move || ask(search))?;
    // Only the retrievers have senders now: the last to end closes the channel.
    drop(answers);
    // Detached on purpose: it reads a number, and nobody waits for it.
    thread::Builder::new().name("monitor".to_owned()).spawn(watch)?;

    let mut heard = Vec::new();
    // ANCHOR: change
    // The change: a time limit for each answer, in the place of one deadline.
    while let Ok((source, answer)) = collected.recv_timeout(2 * SECOND) {
        // ANCHOR_END: change
        match answer {
            Ok(_) => heard.push(source),
            Err(error) => info!("{source} fails: {error}"),
        }
        HEARD.store(heard.len(), Ordering::Relaxed);
    }
    info!("the answer rests on {} of 3 sources: {}", heard.len(), heard.join(", "));
    Ok(())
}

type Answer = (&'static str, io::Result<String>);

/// A retriever: a thread that owns all it needs, and sends one answer.
fn start(
    source: &'static str,
    answers: &Sender<Answer>,
    retrieve: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> io::Result<()> {
    let answers = answers.clone();
    thread::Builder::new().name(source.to_owned()).spawn(move || {
        let answer = retrieve();
        info!("done");
        // An error says that the planner has stopped listening: too late.
        let _ = answers.send((source, answer));
    })?;
    Ok(())
}

fn look_up(takes: Duration) -> io::Result<String> {
    thread::sleep(takes);
    Ok("what was found".to_owned())
}

/// Waits for the service's answer as long as the connection is open.
fn ask(service: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect(service)?;
    connection.write_all(b"what was promised to this customer?\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

static HEARD: AtomicUsize = AtomicUsize::new(0);

/// Reports each second, the first time after half a second; never returns.
fn watch() {
    let start = Instant::now();
    for report in 1.. {
        let next = start + report * SECOND - SECOND / 2;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        info!("{} of 3 sources have answered", HEARD.load(Ordering::Relaxed));
    }
}

const SECOND: Duration = Duration::from_secs(1);
