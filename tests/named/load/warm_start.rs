//! The service answers again when there are descriptors again, and ends at once when it is told to.

use std::time::Duration;

use fastrand::Rng;
use libtest_mimic::Failed;
use nix::sys::signal::Signal;

use crate::Counts;
use crate::service::{Service, WELL_AGAIN};
use crate::storm::{CLIENTS, ask_until, plan, storm};

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n";
const NEAREST: &str = "GET /nearest/tea HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n";

/// From the signal to the end.
const SLACK: Duration = Duration::from_secs(1);

pub fn trial(dice: &mut Rng) -> Result<Counts, Failed> {
    let mut service = Service::start("warm-start", &["0"])?;
    let port = service.port;
    let clients = plan(dice, CLIENTS / 2, Duration::from_millis(1000), &[HEALTH, NEAREST]);
    let (answers, well) = storm(port, &clients, || {
        service.short_of_descriptors(dice.u64(4..20), Duration::from_millis(500))?;
        let asked = [HEALTH, NEAREST].map(|request| ask_until(port, request, 200, WELL_AGAIN));
        Ok::<_, Failed>(asked)
    })?;
    if well?.iter().any(Option::is_none) {
        return Err(format!("no answer {WELL_AGAIN:?} after:\n{}", service.stderr()).into());
    }
    let clients = plan(dice, CLIENTS / 2, Duration::from_millis(500), &[HEALTH, NEAREST]);
    let signal_at = Duration::from_millis(dice.u64(100..500));
    let (more, ended) = storm(port, &clients, || {
        std::thread::sleep(signal_at);
        service.signal(Signal::SIGTERM)?;
        service.ended_within(SLACK)
    })?;
    let status = ended?;
    if !status.success() {
        return Err(format!("it ended with {status}: {}", service.stderr()).into());
    }
    let count = answers.iter().chain(&more).filter(|answer| answer.status == 200).count();
    Ok(vec![("{} requests were answered", count)])
}
