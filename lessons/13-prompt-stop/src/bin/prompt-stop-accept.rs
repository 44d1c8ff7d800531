//! A thread that is blocked in `accept`, and five ways to tell it to stop.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::thread::JoinHandleExt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, io, panic, thread};

use nix::sys::pthread::pthread_kill;
use nix::sys::signal::Signal;
use signal_hook::consts::SIGUSR1;
use signal_hook::flag;
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let way = way.to_string_lossy();
    if !["flag", "signal", "connect", "poll", "shutdown"].contains(&&*way) {
        return lesson_log::failure(
            "say how it is told to stop: flag, signal, connect, poll or shutdown",
        );
    }
    match run(&way) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!("the shop gives up: {error}")),
    }
}

/// An error ends the program, and with it the door: it has nothing to lose.
fn run(way: &str) -> io::Result<()> {
    let told = Arc::new(AtomicBool::new(false));
    // What the signal does; it is sent to the door alone.
    flag::register(SIGUSR1, Arc::clone(&told))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mine = listener.try_clone()?;
    listener.set_nonblocking(way == "poll")?;
    let flag = Arc::clone(&told);
    let door = thread::Builder::new()
        .name("door".to_owned())
        .spawn(move || accept_customers(&listener, &flag))
        .map_err(no_thread)?;
    info!("the shop is open for 1 s");

    thread::sleep(Duration::from_millis(500));
    drop(TcpStream::connect(address)?);
    thread::sleep(Duration::from_millis(500));
    // ANCHOR: stop
    info!("told to stop");
    told.store(true, Ordering::Release);
    match way {
        "signal" => pthread_kill(door.as_pthread_t(), Signal::SIGUSR1)?,
        // Whom `accept` lets in now is not a customer: it is the stop.
        "connect" => drop(TcpStream::connect(address)?),
        // Linux only. A socket is a socket; std has `shutdown` only for streams.
        "shutdown" => {
            TcpStream::from(OwnedFd::from(mine)).shutdown(Shutdown::Both)?;
        }
        // Closes this handle; the thread has another for the same socket.
        _ => drop(mine),
    }
    // ANCHOR_END: stop
    if let Err(payload) = door.join() {
        panic::resume_unwind(payload);
    }
    info!("the shop is closed");
    Ok(())
}

// ANCHOR: accept
fn accept_customers(listener: &TcpListener, told: &AtomicBool) {
    let mut served = 0;
    loop {
        let visit = listener.accept();
        if told.load(Ordering::Acquire) {
            return;
        }
        match visit {
            Ok(_) => {
                served += 1;
                info!("customer {served} is served");
                continue;
            }
            // `poll` alone: nobody is there, and `accept` does not wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // A customer who hung up, or no descriptor left: the shop stays open.
            Err(error) => info!("nobody is let in: {error}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}
// ANCHOR_END: accept

fn no_thread(error: io::Error) -> io::Error {
    io::Error::other(format!("cannot start the thread door: {error}"))
}
