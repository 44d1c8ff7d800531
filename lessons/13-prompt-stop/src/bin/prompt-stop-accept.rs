//! A thread that is blocked in `accept`, and four ways to tell it to stop.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

static TOLD: AtomicBool = AtomicBool::new(false);

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let way = env::args().nth(1).unwrap_or_default();
    if !["flag", "connect", "poll", "shutdown"].contains(&way.as_str()) {
        eprintln!("say how it is told to stop: flag, connect, poll or shutdown");
        return Ok(ExitCode::FAILURE);
    }
    // ANCHOR: run
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mine = listener.try_clone()?;
    listener.set_nonblocking(way == "poll")?;
    let door = thread::Builder::new()
        .name("door".to_owned())
        .spawn(move || accept_customers(&listener))?;
    info!("the shop is open for 1 s");

    thread::sleep(Duration::from_millis(500));
    TcpStream::connect(address)?;
    thread::sleep(Duration::from_millis(500));
    info!("told to stop");
    TOLD.store(true, Ordering::Release);
    match way.as_str() {
        // Whom `accept` lets in now is not a customer: it is the stop.
        "connect" => drop(TcpStream::connect(address)?),
        // Linux only. A socket is a socket; std has `shutdown` only for streams.
        "shutdown" => {
            TcpStream::from(OwnedFd::from(mine)).shutdown(Shutdown::Both)?;
        }
        // Closes this handle; the thread has another for the same socket.
        _ => drop(mine),
    }
    door.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    info!("the shop is closed");
    // ANCHOR_END: run
    Ok(ExitCode::SUCCESS)
}

// ANCHOR: accept
fn accept_customers(listener: &TcpListener) -> io::Result<()> {
    for customer in 1.. {
        let visit = accept_until_told(listener);
        if TOLD.load(Ordering::Acquire) {
            return Ok(());
        }
        visit?;
        info!("customer {customer} is served");
    }
    Ok(())
}

fn accept_until_told(listener: &TcpListener) -> io::Result<TcpStream> {
    loop {
        match listener.accept() {
            // Only with `poll`: nobody is there, and `accept` does not wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if TOLD.load(Ordering::Acquire) {
                    return Err(error);
                }
                thread::sleep(Duration::from_millis(100));
            }
            visit => return visit.map(|(stream, _)| stream),
        }
    }
}
// ANCHOR_END: accept
