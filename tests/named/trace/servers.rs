//! Debian's servers and debuggers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use libtest_mimic::Failed;
use nix::sys::signal::Signal;

use crate::Test;
use crate::programs::program;
use crate::traced::{Place, within};

pub const TESTS: &[Test] = &[
    ("servers::redis", &["redis-server"], redis),
    ("servers::prometheus", &["prometheus"], prometheus),
    ("inside::gdb", &["gdb", "cc"], gdb),
    ("inside::strace", &["strace"], strace),
];

fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn connected(port: u16) -> Result<TcpStream, Failed> {
    let mut found = None;
    let tried = within(Duration::from_secs(20), || {
        found = TcpStream::connect(("127.0.0.1", port)).ok();
        found.is_some()
    });
    tried.map_err(|()| "nobody listens")?;
    Ok(found.ok_or("nobody listens")?)
}

fn redis() -> Result<(), Failed> {
    let place = Place::new()?;
    let port = free_port()?.to_string();
    let command = ["redis-server", "--port", &port, "--save", "", "--appendonly", "yes"];
    let running = place.start(&[], &command)?;
    let mut client = connected(port.parse()?)?;
    client.write_all(b"SET order paid\r\n")?;
    let mut answer = String::new();
    BufReader::new(&client).read_line(&mut answer)?;
    running.signal(Signal::SIGTERM)?;
    let told = running.told()?;
    told.exits(0)?
        .fits([
            r"exit code 0, by main",
            r"bio_aof\S* cut off, waiting for another thread \(futex\), no time limit",
            r"nobody was seen waiting for any of them",
            r"appendonlydir/\S+: \d+ bytes",
            r"printed.*bye bye",
        ])?
        .says_not(["joining", "SIGTERM ended it", "paid"])?
        .holds(answer == "+OK\r\n", "the client got its answer")?;
    Ok(())
}

fn prometheus() -> Result<(), Failed> {
    let place = Place::new()?;
    fs::write(place.path("config.yml"), "scrape_configs: []\n")?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let listen = format!("--web.listen-address={address}");
    let command = ["prometheus", "--config.file=config.yml", "--storage.tsdb.path=data", &*listen];
    let running = place.start(&[], &command)?;
    place.wait_for("Server is ready to receive web requests")?;
    let mut client = TcpStream::connect(&*address)?;
    client.write_all(b"GET /-/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    running.signal(Signal::SIGTERM)?;
    let told = running.told()?;
    told.exits(0)?
        .fits([
            r"exit code 0, by (main|thread \d+)",
            r"printed [\d.]+ s on stderr: ts=",
            r"files .*data/",
        ])?
        .says_not(["joining", "SIGTERM ended it", "lives on"])?
        .holds(told.printed_last().contains("See you next time!"), "its last line is told in full")?
        .holds(answer.starts_with("HTTP/1.1 200"), "the client got its answer")?;
    Ok(())
}

/// A debugger traces its own program, which the tracer has to let go.
fn gdb() -> Result<(), Failed> {
    let fault = program("fault");
    let command = ["gdb", "-nx", "-batch", "-ex", "run", "-ex", "backtrace", "--args", &fault];
    let told = Place::new()?.trace(&[], &command)?;
    let said = String::from_utf8_lossy(&told.stdout);
    told.exits(0)?
        .holds(said.contains("received signal SIGSEGV"), "gdb sees the fault")?
        .holds(said.contains("read_nothing"), "gdb sees where")?
        .says(["exit code 0, by main"])?
        .says_not(["for a fault"])?;
    Ok(())
}

fn strace() -> Result<(), Failed> {
    let place = Place::new()?;
    let command = ["strace", "-f", "-o", "calls", "sh", "-c", "sleep 0.2 & wait; exit 9"];
    let told = place.trace(&[], &command)?;
    let calls = fs::read_to_string(place.path("calls"))?;
    told.exits(9)?
        .holds(calls.contains("exit_group(9)"), "strace sees the calls")?
        .fits([r"exit code 9, by main", r"calls: [\d,]+ bytes, the last line is whole"])?;
    Ok(())
}
