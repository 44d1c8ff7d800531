//! Asks the service, as its customers do: a maintained HTTP client, and a bound on all that it waits for.

use std::error::Error as _;
use std::fmt::{self, Display, Formatter};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use ureq::{Agent, Error, SendBody};

use crate::report::words::{cut, plain};

/// The most bytes of an answer that are read.
const LONGEST_ANSWER: u64 = 4 << 20;

/// How long a customer waits who says nothing else.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long one that holds back the last byte waits for leave to send it.
const HELD_BACK: Duration = Duration::from_secs(5);

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole answer.
    Given {
        /// Its status.
        status: u16,
        /// Its text.
        text: String,
    },
    /// Nobody listens there.
    Refused,
    /// The connection was closed before the answer was whole.
    Cut,
    /// Nothing, or not all of it, until the customer went.
    Silent(Duration),
    /// What came is no answer of HTTP, or has no end.
    Wrong(String),
}

impl Answer {
    /// Its status, if there is an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Given { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The number of an order that was accepted, now or before.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Given { status: 200 | 201, text } => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The number of an order that is new.
    pub fn new_number(&self) -> Option<u64> {
        self.number().filter(|_| self.status() == Some(201))
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { status, text } if text.trim().is_empty() => write!(f, "{status}"),
            Self::Given { status, text } => write!(f, "{status} {}", cut(&plain(text.trim()), 40)),
            Self::Refused => f.write_str("no answer: the connection was refused"),
            Self::Cut => f.write_str("no answer: the connection was closed"),
            Self::Silent(time) => write!(f, "no answer in {}", super::words::time(*time)),
            Self::Wrong(why) => f.write_str(why),
        }
    }
}

/// A customer. One that keeps its connection asks again on it, where the service allows that.
#[derive(Clone, Debug)]
pub struct Customer {
    agent: Agent,
    address: String,
}

/// The last byte of an order that is held back: told when all others are sent, and waits for leave.
#[derive(Debug)]
pub struct HeldBack {
    /// Told when the others are on their way.
    pub sent: Sender<()>,
    /// Tells when the last one may follow.
    pub leave: Receiver<()>,
}

/// An order as it is posted.
#[derive(Debug)]
pub struct Order<'a> {
    /// Its idempotency key.
    pub key: &'a str,
    /// How long it is to be in work, in milliseconds.
    pub takes: u32,
    /// Whether its worker is to panic.
    pub panics: bool,
    /// What is ordered.
    pub text: &'a [u8],
    /// How long the customer waits.
    pub within: Duration,
}

impl<'a> Order<'a> {
    /// A small one that is ready at once.
    pub fn new(key: &'a str) -> Self {
        Self { key, takes: 0, panics: false, text: b"one of each", within: PATIENCE }
    }

    /// One that is so many milliseconds in work.
    pub fn taking(key: &'a str, takes: u32) -> Self {
        Self { takes, ..Self::new(key) }
    }

    /// Of a customer that leaves after this time.
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Where it is posted.
    pub fn path(&self) -> String {
        match (self.panics, self.takes) {
            (true, _) => "/orders?fails=panic".to_owned(),
            (false, 0) => "/orders".to_owned(),
            (false, takes) => format!("/orders?takes={takes}"),
        }
    }
}

impl Customer {
    /// A customer of the service at a port.
    pub fn new(port: u16, keeps_its_connection: bool) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // What the reader's environment says of proxies is not about 127.0.0.1.
            .proxy(None)
            .max_idle_connections(usize::from(keeps_its_connection))
            .max_idle_connections_per_host(usize::from(keeps_its_connection))
            .build()
            .into();
        Self { agent, address: format!("http://127.0.0.1:{port}") }
    }

    /// Asks for a page.
    pub fn get(&self, path: &str, within: Duration) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.address));
        let request = request.config().timeout_global(Some(within)).build();
        answer(request.call(), within)
    }

    /// Posts an order, and holds back its last byte if that is wanted.
    pub fn post(&self, order: &Order<'_>, held_back: Option<HeldBack>) -> Answer {
        let request = self
            .agent
            .post(format!("{}{}", self.address, order.path()))
            .header("Idempotency-Key", order.key)
            .header("Content-Type", "text/plain")
            .header("Content-Length", order.text.len().to_string())
            .config()
            .timeout_global(Some(order.within))
            .build();
        let mut body = Body { left: order.text, held_back };
        answer(request.send(SendBody::from_reader(&mut body)), order.within)
    }
}

/// The text of an order as it is sent.
struct Body<'a> {
    left: &'a [u8],
    held_back: Option<HeldBack>,
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match &self.held_back {
            Some(_) if self.left.len() > 1 => self.left.len() - 1,
            Some(held_back) => {
                // All that was read before has been sent by now.
                let _ = held_back.sent.send(());
                let _ = held_back.leave.recv_timeout(HELD_BACK);
                self.held_back = None;
                self.left.len()
            }
            None => self.left.len(),
        };
        let read = (&self.left[..most]).read(buffer)?;
        self.left = &self.left[read..];
        Ok(read)
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, Error>, within: Duration) -> Answer {
    let whole = response.and_then(|mut response| {
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LONGEST_ANSWER);
        Ok((status, body.read_to_vec()?))
    });
    match whole {
        Ok((status, text)) => {
            Answer::Given { status, text: String::from_utf8_lossy(&text).into_owned() }
        }
        Err(Error::Timeout(_)) => Answer::Silent(within),
        Err(Error::ConnectionFailed) => Answer::Refused,
        Err(Error::BodyExceedsLimit(_)) => {
            Answer::Wrong(format!("an answer of more than {} MB", LONGEST_ANSWER >> 20))
        }
        Err(Error::Io(error)) => of_io(&error, within),
        Err(error) => {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            Answer::Wrong(format!("an answer that is no HTTP ({})", plain(&why)))
        }
    }
}

fn of_io(error: &io::Error, within: Duration) -> Answer {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Answer::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Answer::Silent(within),
        _ => Answer::Cut,
    }
}
