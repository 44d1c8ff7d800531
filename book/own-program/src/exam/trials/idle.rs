//! SIGTERM while nothing is in work.

use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::bench::Bench;
use super::super::listener;
use super::super::processes::called;
use super::super::service::{Service, Setup, ends_with};
use super::super::stop::{Held, demand, fail};
use super::super::words;

/// How soon an idle service ends.
const SOON: Duration = Duration::from_secs(2);

/// Whether the signal reaches the service at all.
pub fn signal_path(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let listeners = listener::owners(service.port(), &service.known().numbers());
    service.terminate();
    if let Some(ended) = service.ended_within(SOON)? {
        demand!(
            service.leaves_no_listener(),
            "The command's process ended {}, but {}.",
            words::exit(ended.exit),
            service.still_listens()
        );
        return Ok(());
    }
    // One that is deaf itself fails the other trials; but perhaps it was not told.
    let [listener] = listeners[..] else { return Ok(()) };
    if listener == service.pid() {
        return Ok(());
    }
    let name = called(listener);
    let _ = kill(Pid::from_raw(listener.cast_signed()), Signal::SIGTERM);
    thread::sleep(SOON);
    demand!(
        listener::is_there(service.port()),
        "The command keeps SIGTERM for itself: the service behind it, {name}, ended only when it was sent \
         the signal as well. Start the service itself, with `exec` where a shell does it."
    );
    Ok(())
}

/// Whether an idle service ends soon, also when a client keeps its connection.
pub fn idle_stop(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let kept = service.kept_connection();
    service.terminate();
    let ended = service.ended_within(SOON)?;
    drop(kept);
    match ended {
        Some(ended) => {
            demand!(
                service.leaves_no_listener(),
                "The command's process ended, but {}.",
                service.still_listens()
            );
            ends_with(ended, 0)
        }
        None => fail!(
            "It was idle, but for a connection that a client kept, and still there {} after SIGTERM.",
            words::time(SOON)
        ),
    }
}
