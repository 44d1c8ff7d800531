//! The inference ends on time and with its result, whatever the scrapers do; and scrapes are answered again
//! when there are descriptors again.

use std::time::Duration;

use fastrand::Rng;
use libtest_mimic::Failed;

use crate::Counts;
use crate::service::Service;
use crate::storm::{CLIENTS, ask_until, plan, storm};

const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n";

/// How long the inference takes, and how much later its process may have ended.
const LENGTH: Duration = Duration::from_millis(2250);
const SLACK: Duration = Duration::from_secs(1);

pub fn trial(dice: &mut Rng) -> Result<Counts, Failed> {
    let mut service = Service::start("inference-telemetry", &["0"])?;
    let port = service.port;
    let clients = plan(dice, CLIENTS, Duration::from_millis(1500), &[SCRAPE]);
    let start = service.start;
    let (answers, ended) = storm(port, &clients, || {
        service.short_of_descriptors(dice.u64(4..20), Duration::from_millis(300))?;
        let well = ask_until(port, SCRAPE, 200, LENGTH);
        let status = service.ended_within((LENGTH + SLACK).saturating_sub(start.elapsed()))?;
        Ok::<_, Failed>((well, status, start.elapsed()))
    })?;
    let (well, status, took) = ended?;
    let result = "the answer is complete: 500 tokens";
    if !status.success() || took < LENGTH || !service.logged().iter().any(|line| line == result) {
        return Err(format!("{status} after {took:?}:\n{}", service.stdout()).into());
    }
    well.ok_or_else(|| {
        format!("no scrape was answered once there were descriptors again\n{}", service.stderr())
    })?;
    Ok(vec![(
        "{} scrapes were answered",
        answers.iter().filter(|answer| answer.status == 200).count(),
    )])
}
