//! A peer sends a byte each 0.4 s. The limit is 1 s: for each call of `read`, or for all of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

const LIMIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let read: fn(&mut TcpStream) -> _ = match way.to_str() {
        Some("per-call") => per_call,
        Some("total") => total,
        _ => return lesson_log::failure("say per-call or total"),
    };
    let mut answer = match ask() {
        Ok(stream) => stream,
        Err(error) => return lesson_log::failure(format!("cannot ask: {error}")),
    };
    info!("the whole answer is wanted within 1 s");
    let start = Instant::now();
    let result = read(&mut answer);
    let took = start.elapsed().as_secs_f64();
    match result {
        Ok(bytes) => info!("{bytes} bytes after {took:.1} s"),
        Err(error) => info!("given up after {took:.1} s: {}", error.kind()),
    }
    ExitCode::SUCCESS
}

// ANCHOR: per-call
fn per_call(answer: &mut TcpStream) -> io::Result<usize> {
    answer.set_read_timeout(Some(LIMIT))?;
    answer.read_to_end(&mut Vec::new())
}
// ANCHOR_END: per-call

// ANCHOR: total
fn total(answer: &mut TcpStream) -> io::Result<usize> {
    let deadline = Instant::now() + LIMIT;
    let (mut whole, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // `set_read_timeout` refuses a time of nothing.
            return Err(ErrorKind::TimedOut.into());
        }
        answer.set_read_timeout(Some(left))?;
        match answer.read(&mut piece) {
            Ok(0) => return Ok(whole.len()),
            Ok(bytes) => whole.extend_from_slice(&piece[..bytes]),
            // The time is up, as Unix says it: the next round returns.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
// ANCHOR_END: total

/// Connects to a peer in this process that drips twelve bytes, one each 0.4 s.
fn ask() -> io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let (mut peer, _) = listener.accept()?;
    let drip = move || {
        let start = Instant::now();
        for byte in 1..=12 {
            let time = start + byte * Duration::from_millis(400);
            thread::sleep(time.saturating_duration_since(Instant::now()));
            if peer.write_all(b".").is_err() {
                return; // Nobody reads any more.
            }
        }
    };
    thread::Builder::new()
        .name("peer".to_owned())
        .spawn(drip)
        .map_err(|error| io::Error::other(format!("the thread peer: {error}")))?;
    Ok(stream)
}
