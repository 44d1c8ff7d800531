//! Measures what three ways to wait a second for a thread cost the waiting thread.

use std::convert::Infallible;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

const SECOND: Duration = Duration::from_secs(1);

fn main() -> io::Result<()> {
    for (way, wait) in [
        ("is_finished without a pause", spin as fn(_)),
        ("is_finished every 10 ms", poll),
        ("a channel", receive),
    ] {
        let worker = thread::Builder::new().name("worker".to_owned());
        let (done, ended) = mpsc::channel::<Infallible>();
        let worker = worker.spawn(move || {
            let _done = done;
            thread::sleep(SECOND);
        })?;
        let before = processor_time()?;
        wait((worker, ended));
        let used = processor_time()? - before;
        println!("{way}: {} ms of processor time", used.as_micros() as f64 / 1e3);
    }
    Ok(())
}

type Worker = (JoinHandle<()>, mpsc::Receiver<Infallible>);

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
    // Both answers mean that the wait is over.
    let _ = ended.recv_timeout(2 * SECOND);
}

/// How long this thread has run: the first number of Linux's `schedstat`.
fn processor_time() -> io::Result<Duration> {
    let numbers = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = numbers.split(' ').next().and_then(|number| number.parse().ok());
    first.map(Duration::from_nanos).ok_or(io::ErrorKind::InvalidData.into())
}
