//! A door that waits for customers and for the stop at once, with `poll(2)` and a pipe.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, iter, panic, thread};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let full = env::args_os().nth(1);
    if full.as_ref().is_some_and(|word| word != "full") {
        return lesson_log::failure("say nothing, or full");
    }
    match run(full.is_some()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!("the shop gives up: {error}")),
    }
}

/// An error ends the program, and with it the door: it has nothing to lose.
fn run(full: bool) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // ANCHOR: run
    let (told, stop) = io::pipe()?;
    // The door owns `open`: if it ends before it is told, `main` hears of it.
    let (open, ended) = mpsc::channel::<()>();
    let door = thread::Builder::new().name("door".to_owned()).spawn(move || {
        let _open = open;
        accept_customers(&listener, &told)
    });
    let door = door.map_err(no_thread)?;
    // ANCHOR_END: run
    info!("the shop is open for 1 s");

    let quarter = Duration::from_millis(250);
    thread::sleep(quarter);
    let mut taken = if full { take_descriptors()? } else { Vec::new() };
    // One for the customer, and none for the door.
    drop(taken.pop());
    let customer = TcpStream::connect(address)?;
    thread::sleep(quarter);
    drop(taken);
    // ANCHOR: stop
    if ended.recv_timeout(2 * quarter) == Err(RecvTimeoutError::Timeout) {
        info!("told to stop");
    }
    // Nothing is ever written: the end of the pipe is the stop.
    drop(stop);
    match door.join() {
        Ok(result) => result?,
        Err(payload) => panic::resume_unwind(payload),
    }
    // ANCHOR_END: stop
    drop(customer);
    info!("the shop is closed");
    Ok(())
}

// ANCHOR: accept
fn accept_customers(listener: &TcpListener, told: &PipeReader) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let (mut served, mut failed) = (0, false);
    while !wait(listener, told, failed)? {
        let visit = listener.accept();
        let fails = matches!(&visit, Err(e) if e.kind() != ErrorKind::WouldBlock);
        match visit {
            Ok(_) => {
                served += 1;
                info!("customer {served} is served");
            }
            Err(error) if fails && !failed => info!("nobody is let in: {error}"),
            Err(_) => {}
        }
        failed = fails;
    }
    Ok(())
}

/// Until there is a customer, or the stop: then it is true. After a failure the customer still stands
/// there, so only the stop is waited for, and for 0.1 s.
fn wait(
    listener: &TcpListener,
    told: &PipeReader,
    failed: bool,
) -> io::Result<bool> {
    let [stop, customer] = [told.as_fd(), listener.as_fd()]
        .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN));
    let (mut both, mut alone) = ([stop.clone(), customer], [stop]);
    let ready = if failed { &mut alone[..] } else { &mut both[..] };
    let limit = if failed { PollTimeout::from(100_u8) } else { PollTimeout::NONE };
    match poll(ready, limit) {
        Ok(_) => Ok(ready[0].any() == Some(true)),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
// ANCHOR_END: accept

/// All that are left: of 64, or of as many as this process may have.
fn take_descriptors() -> io::Result<Vec<File>> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(64), hard)?;
    Ok(iter::from_fn(|| File::open("/dev/null").ok()).collect())
}

fn no_thread(error: io::Error) -> io::Error {
    io::Error::other(format!("cannot start the thread door: {error}"))
}
