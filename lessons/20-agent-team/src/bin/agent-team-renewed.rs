//! Two seconds for each answer: the limit begins anew with every one that comes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    if env::args_os().nth(1).is_some() {
        return lesson_log::failure("there are no arguments");
    }
    let ended = silent_search()
        .map_err(|error| format!("cannot start the search service: {error}"))
        .and_then(plan);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// Stands for a search service, which takes connections and never answers.
fn silent_search() -> io::Result<SocketAddr> {
    // Leaked, because dropped at the end of `main` it would wake `web`.
    let silent = Box::leak(Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?));
    silent.local_addr()
}

fn plan(search: SocketAddr) -> Result<(), String> {
    info!("the question goes to 3 sources");
    let (answers, collected) = mpsc::channel();
    start("wiki", &answers, || look_up(SECOND / 5))?;
    start("tickets", &answers, || look_up(SECOND))?;
    start("web", &answers, move || ask(search))?;
    // Only the retrievers have senders now: the last to end closes the channel.
    drop(answers);
    // Detached on purpose: it reads a number, and nobody waits for it.
    thread::Builder::new()
        .name("monitor".to_owned())
        .spawn(watch)
        .map_err(|error| format!("cannot start the thread monitor: {error}"))?;

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
) -> Result<(), String> {
    let answers = answers.clone();
    let retriever = thread::Builder::new().name(source.to_owned());
    let started = retriever.spawn(move || {
        let answer = retrieve();
        info!("done");
        // An error says that the planner has stopped listening: too late.
        let _ = answers.send((source, answer));
    });
    started
        .map_err(|error| format!("cannot start the thread {source}: {error}"))?;
    Ok(())
}

fn look_up(takes: Duration) -> io::Result<String> {
    thread::sleep(takes);
    Ok("what was found".to_owned())
}

/// Waits for the service's answer, a line, as long as the connection is open.
fn ask(service: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect(service)?;
    connection.write_all(b"what was promised to this customer?\n")?;
    let mut answer = String::new();
    BufReader::new(connection).take(65_536).read_line(&mut answer)?;
    // A connection that ends is no answer, and half a line is none either.
    if !answer.ends_with('\n') {
        return Err(io::Error::other("it hung up without a whole answer"));
    }
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
