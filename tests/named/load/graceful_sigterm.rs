//! Each order with a 202 is on disk or named as left over, and the service ends in its grace period.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use libtest_mimic::Failed;
use nix::sys::signal::Signal;

use crate::Counts;
use crate::service::{Service, WELL_AGAIN, numbers_after};
use crate::storm::{CLIENTS, ask_until, plan, storm};

const ORDER: &str =
    "POST /orders HTTP/1.1\r\nHost: desk\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Shorter than an answer takes.
const GRACE: Duration = Duration::from_secs(1);

/// From the end of the grace period to the end of the process.
const SLACK: Duration = Duration::from_secs(1);

/// How long it works on an order before it answers.
const ANSWERS_AFTER: Duration = Duration::from_millis(1500);

pub fn trial(dice: &mut Rng) -> Result<Counts, Failed> {
    let mut service = Service::start("graceful-sigterm", &["0", &GRACE.as_secs().to_string()])?;
    let port = service.port;

    let first = plan(dice, CLIENTS / 4, Duration::from_millis(600), &[ORDER]);
    let (mut answers, well) = storm(port, &first, || {
        service.short_of_descriptors(dice.u64(4..40), Duration::from_millis(500))?;
        Ok::<_, Failed>(ask_until(port, ORDER, 202, WELL_AGAIN))
    })?;
    well?
        .ok_or_else(|| format!("it takes no order {WELL_AGAIN:?} after:\n{}", service.stdout()))?;

    // The end of the grace period, or the half of it in which requests are waited for, falls among the answers
    // to a crowd: what is counted then is still changing.
    let crowd = Duration::from_millis(dice.u64(20..60));
    let second = plan(dice, CLIENTS - CLIENTS / 4, crowd, &[ORDER]);
    let over = ANSWERS_AFTER + crowd.mul_f64(dice.f64());
    let told_before = if dice.bool() { GRACE } else { GRACE / 2 };
    let (more, ended) = storm(port, &second, || {
        thread::sleep(over - told_before);
        service.signal(Signal::SIGTERM)?;
        service.ended_within(GRACE + SLACK)
    })?;
    let status = ended?;
    answers.extend(more);

    let accepted: BTreeSet<u64> = answers
        .iter()
        .filter(|answer| answer.status == 202)
        .flat_map(|answer| numbers_after("order ", &answer.body))
        .collect();
    let file = service.file("orders.txt");
    let written: Vec<_> = numbers_after("order ", &file).collect();
    let on_disk: BTreeSet<_> = written.iter().copied().collect();
    let stderr = service.stderr();
    let named: BTreeSet<_> = numbers_after("order ", &stderr).collect();
    let not_written: BTreeSet<_> = stderr
        .lines()
        .filter(|line| line.ends_with("accepted and not written"))
        .flat_map(|line| numbers_after("order ", line))
        .collect();
    let lost: Vec<_> = accepted
        .iter()
        .filter(|order| !on_disk.contains(order) && !named.contains(order))
        .collect();
    if !lost.is_empty() {
        return Err(format!(
            "{} of {} orders with a 202 are neither on disk nor named: {lost:?} ({} are on disk, {} named)",
            lost.len(),
            accepted.len(),
            on_disk.len(),
            named.len()
        )
        .into());
    }
    if written.len() != on_disk.len() {
        return Err(format!("an order is on disk twice: {written:?}").into());
    }
    if let Some(order) = not_written.intersection(&on_disk).next() {
        return Err(format!("order {order} is on disk and told as not written").into());
    }
    if status.success() != named.is_empty() {
        return Err(format!("it ended with {status}, and {} orders are named", named.len()).into());
    }
    Ok(vec![
        ("{} orders had a 202", accepted.len()),
        ("{} of them are on disk", accepted.intersection(&on_disk).count()),
        ("{} of them are named as left over", accepted.intersection(&named).count()),
    ])
}
