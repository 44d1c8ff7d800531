//! Orders at the moment of an end: what was acknowledged is there afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::load::{Placed, meanwhile};
use super::super::service::{Service, Setup};
use super::super::stop::{Held, demand, fail};

/// SIGTERM under load, three times.
pub fn nothing_acknowledged_lost(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let mut dice = bench.dice();
    let mut acknowledged = BTreeMap::new();
    let mut service = Service::start(bench, &Setup::new(data.path()))?;
    for round in 0..3 {
        let signal = Duration::from_millis(dice.u64(200..600));
        let keys = bench.key(format_args!("r{round}"));
        let (placed, _) = meanwhile(&service, 16, (&keys, 0..61), &mut dice, || {
            thread::sleep(signal);
            service.terminate();
            service.ended_in_time()
        })?;
        note(&mut acknowledged, &placed);
        drop(service);
        service = Service::restart(bench, &Setup::new(data.path()), "SIGTERM")?;
        are_there(&service, &acknowledged, "SIGTERM")?;
    }
    Ok(())
}

/// SIGKILL under load, again and again.
pub fn killed(bench: &Bench<'_>) -> Held {
    const ROUNDS: u32 = 50;
    const CUSTOMERS: usize = 8;

    let data = bench.data()?;
    let mut dice = bench.dice();
    let mut acknowledged = BTreeMap::new();
    let mut service = Service::start(bench, &Setup::new(data.path()))?;
    for round in 0..ROUNDS {
        let signal = Duration::from_millis(dice.u64(5..=120));
        let keys = bench.key(format_args!("r{round}"));
        let (placed, ()) = meanwhile(&service, CUSTOMERS, (&keys, 0..0), &mut dice, || {
            thread::sleep(signal);
            service.kill();
            Ok(())
        })?;
        note(&mut acknowledged, &placed);
        drop(service);
        service = Service::restart(bench, &Setup::new(data.path()), "SIGKILL")?;
        let unanswered: BTreeSet<_> = placed
            .iter()
            .filter(|placed| placed.answer.status().is_none())
            .map(|placed| &placed.key)
            .collect();
        // Those that found nobody any more are many and all alike.
        for key in unanswered.into_iter().take(2 * CUSTOMERS) {
            let answer = service.order(&Order::new(key));
            let Some(number) = answer.number() else {
                fail!(
                    "After SIGKILL and a restart, an order that had got no answer got {answer} when \
                     it was posted again; it was to get 200 or 201."
                )
            };
            acknowledged.insert(key.clone(), number);
        }
        each_once(&service.orders()?)?;
        are_there(&service, &acknowledged, "SIGKILL")?;
    }
    // The first of many.
    if let Some((key, number)) = acknowledged.first_key_value() {
        let answer = service.order(&Order::new(key));
        demand!(
            answer.status() == Some(200) && answer.number() == Some(*number),
            "Among {} orders the key {key}, which had the number {number}, was posted again and got {answer}; it \
             was to get 200 and the same number.",
            acknowledged.len()
        );
    }
    let highest = acknowledged.values().max().copied().unwrap_or(0);
    let answer = service.order(&Order::new(&bench.key("new")));
    demand!(
        answer.new_number().is_some_and(|number| number > highest),
        "After {ROUNDS} restarts a new order got {answer}; it was to get 201 and a number above {highest}."
    );
    Ok(())
}

/// Adds what was acknowledged.
fn note(acknowledged: &mut BTreeMap<String, u64>, placed: &[Placed]) {
    let known =
        placed.iter().filter_map(|placed| Some((placed.key.clone(), placed.answer.number()?)));
    acknowledged.extend(known);
}

/// Whether no key and no number is stored twice.
fn each_once(stored: &[(u64, String)]) -> Held {
    let (mut numbers, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (number, key) in stored {
        demand!(
            numbers.insert(number),
            "After SIGKILL and a restart the number {number} is stored twice."
        );
        demand!(keys.insert(key), "After SIGKILL and a restart the order {key} is stored twice.");
    }
    Ok(())
}

/// Whether each acknowledged order is stored at its number.
pub fn are_there(service: &Service, acknowledged: &BTreeMap<String, u64>, end: &str) -> Held {
    let stored = service.orders()?;
    let keys: BTreeMap<_, _> = stored.iter().map(|(number, key)| (&**key, number)).collect();
    let is_missing = |(key, number): &(&String, &u64)| keys.get(&***key) != Some(number);
    let missing: Vec<_> = acknowledged.iter().filter(is_missing).collect();
    let Some((key, number)) = missing.first() else { return Ok(()) };
    let all = acknowledged.len();
    match keys.get(&***key) {
        Some(other) => fail!(
            "The order {key} was acknowledged with the number {number}; after {end} and a restart it \
             has the number {other}."
        ),
        None => fail!(
            "After {end} and a restart {} of {all} acknowledged orders {} not there, such as {key} \
             with the number {number}.",
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" }
        ),
    }
}
