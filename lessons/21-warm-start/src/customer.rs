//! A customer who keeps one connection for all that he asks, as browsers and load balancers do.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use tracing::info;

/// Asks for one path after the other, each 0.1 s after the answer before.
pub fn ask(service: SocketAddr, paths: &[&str]) -> io::Result<()> {
    let mut service = BufReader::new(TcpStream::connect(service)?);
    for path in paths {
        thread::sleep(Duration::from_millis(100));
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        service.get_mut().write_all(request.as_bytes())?;
        let status = answer(&mut service)?;
        info!("{path} is answered with {status}");
    }
    Ok(())
}

/// Reads an answer to its end; gives its status.
fn answer(service: &mut impl BufRead) -> io::Result<String> {
    let mut head = Vec::new();
    while head.last().is_none_or(|line: &String| !line.is_empty()) {
        let mut line = String::new();
        if service.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(line.trim_end().to_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.unwrap_or("0").parse().map_err(io::Error::other)?;
    service.take(length).read_to_end(&mut Vec::new())?;
    Ok(head[0].split(' ').nth(1).unwrap_or_default().to_owned())
}
