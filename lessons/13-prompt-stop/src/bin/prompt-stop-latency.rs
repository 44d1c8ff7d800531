//! How long a thread takes to end once it is told to: four ways to wait, medians of 40.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, panic};

const INTERVAL: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match measure(&mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => lesson_log::failure(format!("nothing is measured: {error}")),
    }
}

fn measure(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "told to stop until joined, median of 40:")?;
    let sleep = median(|| {
        let told = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&told);
        let thread = spawn(move || {
            while !told.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
        })?;
        Ok((thread, move |_: &JoinHandle<()>| stop.store(true, Ordering::Relaxed)))
    })?;
    writeln!(out, "a flag and sleeps of 100 ms: {} ms", sleep.as_millis())?;

    let channel = median(|| {
        let (stop, told) = mpsc::channel::<()>();
        let thread = spawn(move || {
            // How it ends does not matter here.
            let _ = told.recv_timeout(INTERVAL);
        })?;
        Ok((thread, move |_: &JoinHandle<()>| drop(stop)))
    })?;
    writeln!(out, "recv_timeout: {} µs", channel.as_micros())?;

    let condvar = median(|| {
        let told = Arc::new((Mutex::new(false), Condvar::new()));
        let stop = Arc::clone(&told);
        let thread = spawn(move || {
            let flag = told.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(told.1.wait_timeout_while(flag, INTERVAL, |told| !*told));
        })?;
        let stop = move |_: &JoinHandle<()>| {
            *stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            stop.1.notify_all();
        };
        Ok((thread, stop))
    })?;
    writeln!(out, "wait_timeout_while: {} µs", condvar.as_micros())?;

    let park = median(|| {
        // Only the time counts here; in a program a flag and a loop go with it.
        let thread = spawn(|| thread::park_timeout(INTERVAL))?;
        Ok((thread, |thread: &JoinHandle<()>| thread.thread().unpark()))
    })?;
    writeln!(out, "park_timeout: {} µs", park.as_micros())?;
    Ok(())
}

fn spawn(wait: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("waiting".to_owned()).spawn(wait)
}

/// Each stop comes at another moment of the thread's wait.
fn median<S: FnOnce(&JoinHandle<()>)>(
    start: impl Fn() -> io::Result<(JoinHandle<()>, S)>,
) -> io::Result<Duration> {
    let mut latencies = Vec::new();
    for run in 0..40 {
        let (thread, stop) = start()?;
        thread::sleep(Duration::from_micros(10_000 + 2_500 * run));
        let told = Instant::now();
        stop(&thread);
        if let Err(payload) = thread.join() {
            panic::resume_unwind(payload);
        }
        latencies.push(told.elapsed());
    }
    latencies.sort();
    Ok(latencies[latencies.len() / 2])
}
