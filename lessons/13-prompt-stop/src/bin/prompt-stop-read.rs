//! A thread that reads from a customer who says nothing, and two ways to tell it to stop.

use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let shut = match way.to_str() {
        Some("drop") => false,
        Some("shutdown") => true,
        _ => return lesson_log::failure("say drop or shutdown"),
    };
    match run(shut) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!("the clerk gives up: {error}")),
    }
}

fn run(shut: bool) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // It stays to the end, and says nothing.
    let _customer = TcpStream::connect(listener.local_addr()?)?;
    let (mut stream, _) = listener.accept()?;
    let mine = stream.try_clone()?;
    let clerk = thread::Builder::new()
        .name("clerk".to_owned())
        .spawn(move || stream.read(&mut [0; 100]))
        .map_err(no_thread)?;
    info!("the clerk listens; after 1 s it is told to stop");

    thread::sleep(Duration::from_secs(1));
    info!("told to stop");
    // ANCHOR: stop
    // An error would mean that the connection is gone: that ends the read as well.
    let result = if shut { mine.shutdown(Shutdown::Read) } else { Ok(()) };
    drop(mine);
    // ANCHOR_END: stop
    match clerk.join() {
        Ok(read) => info!("the clerk read {} bytes", read?),
        Err(payload) => panic::resume_unwind(payload),
    }
    result
}

fn no_thread(error: io::Error) -> io::Error {
    io::Error::other(format!("cannot start the thread clerk: {error}"))
}
