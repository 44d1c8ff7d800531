//! One key from two customers, or twice from one.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::client::{Answer, Customer, HeldBack, Order};
use super::super::service::{Service, Setup, ends_with};
use super::super::stop::{self, Held, Stop, demand, fail};
use super::super::supplier::{Says, Supplier};
use super::super::words;

/// How long the last bytes are held back once all others are sent.
const TOGETHER: Duration = Duration::from_millis(5);
/// How long a customer may take to send the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Two connections with the same key, both complete at the same moment.
pub fn same_key_at_once(bench: &Bench<'_>) -> Held {
    const TIMES: usize = 50;

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    for time in 0..TIMES {
        let key = bench.key(format_args!("same-{time}"));
        let [one, other] = at_once(&service, &key)?;
        let mut statuses = [one.status(), other.status()];
        statuses.sort_unstable();
        demand!(
            statuses == [Some(200), Some(201)],
            "Two connections sent the same key at the same moment and got `{one}` and `{other}`; one was \
             to get 201 and the other 200."
        );
        demand!(
            one.number().is_some() && one.number() == other.number(),
            "Two connections sent the same key at the same moment and got the numbers `{one}` and \
             `{other}`; they were to get the same."
        );
    }
    let stored = service.orders()?.len();
    demand!(
        stored == TIMES,
        "{TIMES} keys were posted twice each, and {stored} orders are stored."
    );
    waits_for_its_end(bench, &service)?;
    drop(service);
    after_one_that_fails(bench)
}

/// A known key is answered when its order is stored, and not while it is in work.
fn waits_for_its_end(bench: &Bench<'_>, service: &Service) -> Held {
    const TAKES: Duration = Duration::from_millis(500);

    let key = bench.key("in-work");
    let begun = Instant::now();
    let (first, (second, after)) = service.while_in_work(&Order::taking(&key, 500), || {
        thread::sleep(TAKES / 4);
        let answer = service.order(&Order::taking(&key, 500));
        Ok((answer, begun.elapsed()))
    })?;
    // On a busy machine the second may be there first.
    let mut statuses = [first.status(), second.status()];
    statuses.sort_unstable();
    demand!(
        after >= TAKES && statuses == [Some(200), Some(201)],
        "While an order of {} was in work its key was posted once more. The order got {first}; the other one \
         got {second}, {} after the first was sent. It was to wait for it, and to get 200.",
        words::time(TAKES),
        words::time(after)
    );
    Ok(())
}

/// Whoever has waited for an order that failed does the work itself.
fn after_one_that_fails(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let supplier = Supplier::open(Says::LateNo)?;
    let setup = Setup { supplier: Some(&supplier), ..Setup::new(data.path()) };
    let service = Service::start(bench, &setup)?;
    let key = bench.key("fails-first");
    let (first, second) = service.while_in_work(&Order::new(&key), || {
        let until = Instant::now() + PATIENCE;
        while supplier.asked() == 0 && Instant::now() < until {
            thread::sleep(TOGETHER);
        }
        supplier.say(Says::Status(200));
        let customer = Customer::new(service.port(), false);
        Ok(service.order_of(&customer, &format!("{key}-2"), &Order::new(&key), None))
    })?;
    demand!(
        first.status() == Some(502) && second.new_number().is_some(),
        "The supplier said 503 to an order, and 200 from then on. The order got {first}; the same key, sent \
         while it was in work, got {second}. They were to get 502 and 201."
    );
    Ok(())
}

fn at_once(service: &Service, key: &str) -> Held<[Answer; 2]> {
    let (sent, all_sent) = mpsc::channel();
    let (leaves, posts): (Vec<_>, Vec<_>) = (0..2)
        .map(|_| {
            let (leave, given) = mpsc::channel();
            (leave, HeldBack { sent: sent.clone(), leave: given })
        })
        .unzip();
    drop(sent);
    thread::scope(|scope| {
        let mut asks = Vec::new();
        for (number, held_back) in posts.into_iter().enumerate() {
            let post = move || {
                let customer = Customer::new(service.port(), false);
                let lane = format!("{key}-{}", number + 1);
                service.order_of(&customer, &lane, &Order::new(key), Some(held_back))
            };
            asks.push(
                thread::Builder::new().name("customer".to_owned()).spawn_scoped(scope, post)?,
            );
        }
        for _ in 0..2 {
            // One that was refused never comes so far.
            let _ = all_sent.recv_timeout(PATIENCE);
        }
        thread::sleep(TOGETHER);
        leaves.iter().for_each(|leave| _ = leave.send(()));
        let mut answers = Vec::new();
        for asks in asks {
            answers.push(asks.join().unwrap_or(Answer::Cut));
        }
        <[Answer; 2]>::try_from(answers).map_err(|_| stop::broken())
    })
}

/// A customer that leaves while its order is in work, and asks again.
pub fn client_gone(bench: &Bench<'_>) -> Held {
    /// Two go on side by side.
    const PAIRS: usize = 4;
    const AGAIN: Duration = Duration::from_secs(3);

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let mut dice = bench.dice();
    let mut keys = Vec::new();
    for pair in 0..PAIRS {
        let two = [0, 1].map(|number| {
            let leaves = Duration::from_millis(dice.u64(20..=370));
            (bench.key(format_args!("gone-{pair}-{number}")), leaves)
        });
        let ask = |key: &str, leaves: Duration| {
            service.order(&Order::taking(key, 400).within(leaves));
            let start = Instant::now();
            (service.order(&Order::taking(key, 400).within(AGAIN)), start.elapsed())
        };
        let answers = thread::scope(|scope| {
            let begun = two.each_ref().map(|(key, leaves)| {
                let ask = &ask;
                thread::Builder::new()
                    .name("customer".to_owned())
                    .spawn_scoped(scope, move || ask(key, *leaves))
            });
            begun.map(|begun| Ok::<_, Stop>(begun?.join().unwrap_or((Answer::Cut, Duration::ZERO))))
        });
        for (answer, (key, leaves)) in answers.into_iter().zip(two) {
            let (answer, _) = answer?;
            let Some(number) = answer.number() else {
                fail!(
                    "A customer left {} after it had sent an order of 400 ms; the same key again got \
                     {answer}. It was to get 200 or 201 within {}.",
                    words::time(leaves),
                    words::time(AGAIN)
                )
            };
            keys.push((key, number));
        }
    }
    let stored = service.orders()?;
    for (key, number) in keys {
        let times = stored.iter().filter(|(_, stored)| *stored == key).count();
        demand!(
            times == 1,
            "The order of a customer that left and asked again, {key}, is stored {times} times."
        );
        demand!(
            stored.contains(&(number, key.clone())),
            "The order {key} got the number {number}, and is stored with another one."
        );
    }
    service.terminate();
    ends_with(service.ended_in_time()?, 0)
}
