//! Clients who come at moments that a seed fixes: most ask and read the answer, some ask a byte at a time,
//! some by half, and some say nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

/// How many clients there are in all the storms of a trial.
pub const CLIENTS: usize = 400;

/// How long a client waits before it gives up.
const PATIENCE: Duration = Duration::from_secs(12);

/// How long a slow client lets pass between two bytes.
const DRIP: Duration = Duration::from_millis(30);

#[derive(Clone, Copy)]
enum Kind {
    Whole,
    Slow,
    Half,
    Silent,
}

/// A client, and when it comes.
pub struct Client {
    at: Duration,
    kind: Kind,
    request: &'static str,
}

/// What a client got.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// So many clients within a time, of whom each makes one of these requests.
pub fn plan(
    dice: &mut Rng,
    count: usize,
    within: Duration,
    requests: &[&'static str],
) -> Vec<Client> {
    let client = |_| Client {
        at: within.mul_f64(dice.f64()),
        kind: match dice.u8(..10) {
            0 => Kind::Slow,
            1 => Kind::Half,
            2 => Kind::Silent,
            _ => Kind::Whole,
        },
        request: dice.choice(requests).expect("a request"),
    };
    (0..count).map(client).collect()
}

/// Has all of them come while `meanwhile` runs; those who say too little stay until `meanwhile` is over.
/// Gives the answers, and what `meanwhile` gave.
pub fn storm<T>(
    port: u16,
    clients: &[Client],
    meanwhile: impl FnOnce() -> T,
) -> io::Result<(Vec<Answer>, T)> {
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    thread::scope(|scope| {
        // Also where `meanwhile` panics: else the scope would wait for those who stay.
        let _over = Over(&is_over);
        let threads: io::Result<Vec<_>> = clients
            .iter()
            .map(|client| {
                let builder =
                    thread::Builder::new().name("client".to_owned()).stack_size(256 << 10);
                let is_over = &is_over;
                builder.spawn_scoped(scope, move || client.act(start, port, is_over))
            })
            .collect();
        let threads = threads?;
        let came_of_it = meanwhile();
        is_over.store(true, Ordering::Relaxed);
        let answers = threads.into_iter().filter_map(|thread| thread.join().ok().flatten());
        Ok((answers.collect(), came_of_it))
    })
}

/// Says at its end, also by a panic, that all is over.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Client {
    fn act(&self, start: Instant, port: u16, is_over: &AtomicBool) -> Option<Answer> {
        thread::sleep((start + self.at).saturating_duration_since(Instant::now()));
        let mut stream = connect(port).ok()?;
        let bytes = self.request.as_bytes();
        match self.kind {
            Kind::Whole => stream.write_all(bytes).ok()?,
            Kind::Slow => {
                for byte in bytes {
                    thread::sleep(DRIP);
                    stream.write_all(&[*byte]).ok()?;
                }
            }
            Kind::Half => stream.write_all(&bytes[..bytes.len() / 2]).ok()?,
            Kind::Silent => {}
        }
        if matches!(self.kind, Kind::Half | Kind::Silent) {
            while !is_over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            return None;
        }
        answer(stream).ok()
    }
}

/// Asks once, and gives up after a time.
pub fn ask(port: u16, request: &str, time: Duration) -> io::Result<Answer> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(time))?;
    stream.write_all(request.as_bytes())?;
    answer(stream)
}

/// Asks again and again until the answer has this status; how long that took, if it does within a time.
pub fn ask_until(port: u16, request: &str, status: u16, limit: Duration) -> Option<Duration> {
    let start = Instant::now();
    while start.elapsed() < limit {
        let left = limit.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        if ask(port, request, left).is_ok_and(|answer| answer.status == status) {
            return (start.elapsed() <= limit).then(|| start.elapsed());
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// An answer that was cut short was not given.
fn answer(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if length.is_some_and(|length| body.len() < length) {
        return Err(cut());
    }
    Ok(Answer { status, body: body.to_owned() })
}
