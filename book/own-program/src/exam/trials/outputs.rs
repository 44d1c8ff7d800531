//! What it prints when nobody reads, and what is left when it is gone.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use workbook::tracer::file::children;

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::processes::called;
use super::super::service::{Service, Setup, ends_with};
use super::super::stop::{Held, demand, fail};

/// Whoever read its output is gone.
pub fn closed_stdout(bench: &Bench<'_>) -> Held {
    const ORDERS: usize = 20;

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    service.close_its_outputs();
    for number in 0..ORDERS {
        let key = bench.key(format_args!("unread-{number}"));
        let answer = service.order(&Order::new(&key));
        if answer.new_number().is_none() {
            // A print into a closed pipe may have ended it, or one thread of it.
            let end = service.and_ended(Duration::from_millis(300))?;
            fail!(
                "Nobody read its stdout and stderr any more, and order {} of {ORDERS} got {answer}{end}; it \
                 was to get 201.",
                number + 1
            );
        }
    }
    service.terminate();
    ends_with(service.ended_in_time()?, 0)?;
    drop(service);
    its_last_words_are_unread(bench).map_err(|stop| stop.retold(|why| format!(
            "Nobody read its stdout and stderr any more, and at SIGTERM an order of 30 s was in work. {why}"
        )))
}

/// The line about what is unfinished cannot be printed, and changes nothing.
fn its_last_words_are_unread(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup { grace: 1, ..Setup::new(data.path()) })?;
    service.close_its_outputs();
    let key = bench.key("unread");
    let (_, ended) = service.ended_in(&Order::taking(&key, 30_000))?;
    ends_with(ended, 1)
}

/// After the exit there is nothing of it.
pub fn nothing_left(bench: &Bench<'_>) -> Held {
    let others: Vec<_> = below_us(&[]);
    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let key = bench.key("last");
    let answer = service.order(&Order::new(&key));
    demand!(answer.new_number().is_some(), "An order got {answer}; it was to get 201.");
    service.terminate();
    service.ended_in_time()?;
    is_gone(&service, &others)?;
    drop(service);

    let service = Service::start(bench, &Setup { grace: 1, ..Setup::new(data.path()) })?;
    let key = bench.key("unfinished");
    service.ended_in(&Order::taking(&key, 30_000))?;
    is_gone(&service, &others)
}

/// Whether a service that has ended has left nothing; the others were there before it.
fn is_gone(service: &Service, others: &[u32]) -> Held {
    /// What is about to go by itself is given this time.
    const SETTLES: Duration = Duration::from_millis(500);
    const LOOKS: Duration = Duration::from_millis(20);

    let until = Instant::now() + SETTLES;
    loop {
        // One that has cleared its environment and was born at the end has come to us.
        let mut left = service.known().alive();
        left.extend(below_us(others));
        let Some(process) = left.first() else { break };
        if Instant::now() > until {
            fail!("It has ended, and {} is still there.", called(*process));
        }
        thread::sleep(LOOKS);
    }
    let names: Vec<_> = fs::read_dir(service.temporary())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    match names.first() {
        None => Ok(()),
        Some(name) => {
            fail!("It has ended, and {} is left in TMPDIR.", crate::report::words::plain(name))
        }
    }
}

/// The processes below this one, without these and those below them.
fn below_us(but: &[u32]) -> Vec<u32> {
    children(std::process::id(), but).into_iter().map(|child| child.pid).collect()
}
