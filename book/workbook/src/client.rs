//! Asks the service that a program offers, as a client from outside sees it.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::time::{Duration, Instant};

use ureq::{Agent, Error};

use crate::promise::{Answer, Request};

/// How long a client waits for an answer before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a request.
#[derive(Debug)]
pub enum Asked {
    /// It was never made: the program had not printed what it was to follow, or no address.
    Never,
    /// Nobody took the connection.
    Refused,
    /// The connection ended before the answer was complete.
    Cut,
    /// There was no complete answer within this time.
    TooLate(Duration),
    /// Something else, in the client's words.
    Failed(String),
    /// The answer is complete.
    Answered {
        /// Its status.
        status: u16,
        /// Its text.
        body: String,
        /// From before the connection was made until the answer was complete.
        took: Duration,
    },
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

impl Asked {
    /// Holds what became of a request against what is promised.
    ///
    /// # Errors
    ///
    /// What became of it, in words that follow "but".
    pub fn judge(&self, promised: &Answer) -> Result<(), String> {
        match (promised, self) {
            (Answer::Refused, Self::Refused) | (Answer::Cut, Self::Cut) => Ok(()),
            (
                Answer::Whole { status, has, takes },
                Self::Answered { status: found, body, took },
            ) => {
                let took = took.as_secs_f64();
                let in_time = takes.is_none_or(|(least, most)| (least..=most).contains(&took));
                let has_text = has.as_ref().is_none_or(|text| body.contains(text));
                if status == found && in_time && has_text { Ok(()) } else { Err(self.to_string()) }
            }
            _ => Err(self.to_string()),
        }
    }
}

/// In words that follow "but".
impl Display for Asked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("it was not asked: the program had not printed that yet"),
            Self::Refused => f.write_str("the connection was refused"),
            Self::Cut => f.write_str("the connection ended before the answer was complete"),
            Self::TooLate(time) => write!(f, "there was no answer within {} s", time.as_secs()),
            Self::Failed(error) => write!(f, "the client says: {error}"),
            Self::Answered { status, body, took } => {
                write!(
                    f,
                    "it was answered with status {status} after {:.2} s",
                    took.as_secs_f64()
                )?;
                match body.trim_end() {
                    "" => f.write_str(" and no text"),
                    text => write!(f, " and the text {text:?}"),
                }
            }
        }
    }
}
