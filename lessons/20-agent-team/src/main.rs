//! A planner asks three retrievers and answers at its deadline with what it has.

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
    let mode = env::args_os().nth(1).unwrap_or_else(|| "silent".into());
    let search = match mode.to_str() {
        Some("silent") => search(None),
        // Nobody listens on port 1.
        Some("down") => Ok((Ipv4Addr::LOCALHOST, 1).into()),
        Some("hangs-up") => search(Some("")),
        Some("half") => search(Some("a refu")),
        _ => {
            return lesson_log::failure(
                "the search can be silent, down, hangs-up or half",
            );
        }
    };
    let ended = search
        .map_err(|error| format!("cannot start the search service: {error}"))
        .and_then(plan);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// Stands for a search service, which takes a question and stays silent, or says this
/// much and hangs up.
fn search(says: Option<&'static str>) -> io::Result<SocketAddr> {
    // Leaked, because dropped at the end of `main` it would wake `web`.
    let service = Box::leak(Box::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?));
    let address = service.local_addr()?;
    if let Some(part) = says {
        thread::Builder::new().name("search".to_owned()).spawn(move || {
            let (mut asking, _) = service.accept()?;
            BufReader::new(&asking).read_line(&mut String::new())?;
            asking.write_all(part.as_bytes())
        })?;
    }
    Ok(address)
}

// ANCHOR: plan
fn plan(search: SocketAddr) -> Result<(), String> {
    info!("the question goes to 3 sources");
    let deadline = Instant::now() + 2 * SECOND;
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
    let left = || deadline.saturating_duration_since(Instant::now());
    // Ends when the time is up, or earlier if nobody is left who could answer.
    while let Ok((source, answer)) = collected.recv_timeout(left()) {
        match answer {
            Ok(_) => heard.push(source),
            Err(error) => info!("{source} fails: {error}"),
        }
        HEARD.store(heard.len(), Ordering::Relaxed);
    }
    info!("the answer rests on {} of 3 sources: {}", heard.len(), heard.join(", "));
    Ok(())
}
// ANCHOR_END: plan

type Answer = (&'static str, io::Result<String>);

// ANCHOR: start
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
// ANCHOR_END: start

fn look_up(takes: Duration) -> io::Result<String> {
    thread::sleep(takes);
    Ok("what was found".to_owned())
}

// ANCHOR: ask
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
// ANCHOR_END: ask

// ANCHOR: monitor
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
// ANCHOR_END: monitor

const SECOND: Duration = Duration::from_secs(1);
