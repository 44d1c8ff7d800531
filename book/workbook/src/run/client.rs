//! Asks the service that a program offers, as a client from outside sees it.

use std::io::{self, PipeReader, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ureq::{Agent, Error};

use super::pulse;
use crate::promise::judge::Asked;
use crate::promise::{Request, Run};

/// How long a client waits for an answer before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Those who make the requests of a run, each in a thread of its own.
///
/// The threads are there before the program is: beside busy loops a process with hundreds of
/// threads was seen to take 0.7 s for one more, and requests came that much late.
pub(super) struct Clients {
    /// Where each of them waits to be told the port.
    pub(super) ports: Vec<mpsc::Sender<Told>>,
    pub(super) answers: Answers,
}

/// A port, and when it is to be asked.
pub(super) type Told = (u16, Instant);

/// What becomes of the requests, by number.
pub(super) struct Answers {
    pub(super) asked: mpsc::Receiver<(usize, Asked)>,
    /// A byte comes for each.
    pub(super) wake: PipeReader,
}

impl Clients {
    /// None for a run without requests.
    pub(super) fn new(run: &Run) -> io::Result<Option<Self>> {
        if run.requests().next().is_none() {
            return Ok(None);
        }
        let (wake, waker) = io::pipe()?;
        let (sender, asked) = mpsc::channel();
        let waker = Arc::new(waker);
        let ports = run.requests().cloned().map(|request| {
            let (port, told) = mpsc::channel();
            let (sender, waker) = (sender.clone(), Arc::clone(&waker));
            thread::Builder::new().name("client".to_owned()).spawn(move || {
                let Ok((port, due)) = told.recv() else { return };
                pulse::was_due(due);
                // When the run is over nobody wants to know any more.
                let _ = sender.send((request.number, ask(port, &request)));
                let _ = (&*waker).write(&[0]);
            })?;
            Ok(port)
        });
        Ok(Some(Self {
            ports: ports.collect::<io::Result<_>>()?,
            answers: Answers { asked, wake },
        }))
    }
}

/// Makes a request at `http://127.0.0.1:<port>` and waits for the answer.
pub fn ask(port: u16, request: &Request) -> Asked {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        // What the reader's environment says of proxies is not about 127.0.0.1.
        .proxy(None)
        .build()
        .into();
    let url = format!("http://127.0.0.1:{port}{}", request.path);
    let start = Instant::now();
    let response = if request.posts { agent.post(url).send_empty() } else { agent.get(url).call() };
    let answer = response.and_then(|mut response| {
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    });
    match answer {
        Ok((status, body)) => Asked::Answered { status, body, took: start.elapsed() },
        Err(Error::Timeout(_)) => Asked::TooLate(PATIENCE),
        Err(Error::ConnectionFailed) => Asked::Refused,
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Asked::Refused,
        Err(Error::Io(_) | Error::Protocol(_)) => Asked::Cut,
        Err(error) => Asked::Failed(error.to_string()),
    }
}

/// The port of the first `http://127.0.0.1:<port>` that was printed.
pub fn port(printed: &str) -> Option<u16> {
    let (_, rest) = printed.split_once("http://127.0.0.1:")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}
