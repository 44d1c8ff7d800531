//! Wait for a thread, but not for longer than half a second.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::mpsc::{
    self, RecvTimeoutError::Timeout,
};
use std::time::Duration;
use std::{io, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the uploader: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("the upload gets half a second");
    let limit = Duration::from_millis(500);
    let uploader = thread::Builder::new()
        .name("uploader".to_owned());
    // ANCHOR: cell
    let (done, ended) = mpsc::channel::<Infallible>();
    uploader.spawn(move || {
        // Dropped when the thread ends, in any way.
        let _done = done;
        upload();
    })?;

    if ended.recv_timeout(limit) == Err(Timeout) {
        info!("the upload is abandoned");
    }
    // ANCHOR_END: cell
    Ok(())
}

fn upload() {
    thread::sleep(Duration::from_secs(2));
    info!("the upload is done");
}
