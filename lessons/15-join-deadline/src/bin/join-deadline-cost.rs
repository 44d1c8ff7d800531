//! Measures what three ways to wait a second for a thread cost the waiting thread.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    for (way, wait) in [
        ("is_finished without a pause", spin as fn(_)),
        ("is_finished every 10 ms", poll),
        ("a channel", receive),
    ] {
        let used = match measure(wait) {
            Ok(used) => used.as_micros() as f64 / 1e3,
            Err(error) => return lesson_log::failure(format!("{way}: {error}")),
        };
        let line = format!("{way}: {used} ms of processor time\n");
        if let Err(error) = io::stdout().write_all(line.as_bytes()) {
            return lesson_log::failure(format!("cannot print it: {error}"));
        }
    }
    ExitCode::SUCCESS
}

fn measure(wait: fn(Worker)) -> io::Result<Duration> {
    let (done, ended) = mpsc::channel();
    let worker = thread::Builder::new().name("worker".to_owned());
    let worker = worker.spawn(move || {
        thread::sleep(SECOND);
        // The ways without a channel have dropped its receiver.
        let _ = done.send(());
    })?;
    let before = processor_time()?;
    wait((worker, ended));
    Ok(processor_time()? - before)
}

type Worker = (JoinHandle<()>, Receiver<()>);

fn spin((worker, _): Worker) {
    let deadline = Instant::now() + 2 * SECOND;
    while !worker.is_finished() && Instant::now() < deadline {}
}

fn poll((worker, _): Worker) {
    let deadline = Instant::now() + 2 * SECOND;
    while !worker.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}

fn receive((_, ended): Worker) {
    // Either answer means that the wait is over.
    let _ = ended.recv_timeout(2 * SECOND);
}

/// How long this thread has run: the first number of Linux's `schedstat`.
fn processor_time() -> io::Result<Duration> {
    let numbers = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = numbers.split(' ').next().and_then(|number| number.parse().ok());
    first.map(Duration::from_nanos).ok_or(io::ErrorKind::InvalidData.into())
}
