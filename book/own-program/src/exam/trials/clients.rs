//! Clients that say little or nothing.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::super::bench::Bench;
use super::super::service::{Service, Setup, ends_with};
use super::super::stop::{Held, demand};

/// How long a connection and a write may take.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A connection to a port, on which this was sent.
///
/// # Errors
///
/// If nobody takes it.
pub fn connected(port: u16, sent: &str) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(sent.as_bytes())?;
    Ok(stream)
}

/// SIGTERM while clients are connected that have asked for nothing whole.
pub fn slow_client(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let key = bench.key("half");
    let head = format!("POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: {key}\r\n");
    let half_a_body = format!("{head}Content-Length: 100\r\n\r\nhalf of it");
    // One that leaves in the middle has ordered nothing.
    let left = bench.key("left");
    drop(connected(service.port(), &half_a_body.replace(&key, &left)));
    let connections = ["", &head, &half_a_body].map(|sent| connected(service.port(), sent));
    thread::sleep(Duration::from_millis(200));
    service.terminate();
    let ended = service.ended_in_time();
    drop(connections);
    let ended = ended.and_then(|ended| ends_with(ended, 0));
    ended.map_err(|stop| stop.retold(|why| format!(
            "Nothing was in work; of three clients one had sent nothing, one half a head, one half a body. {why}"
        )))?;
    drop(service);
    let service = Service::restart(bench, &Setup::new(data.path()), "SIGTERM")?;
    let stored = service.orders()?;
    demand!(
        !stored.iter().any(|(_, stored)| [&key, &left].contains(&stored)),
        "An order of which half a body had come is stored."
    );
    Ok(())
}
