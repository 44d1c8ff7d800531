//! SIGTERM while an order is in work.

use std::thread;
use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::client::{Customer, Order};
use super::super::service::{INTO_THE_WORK, Service, Setup, Under, ends_with};
use super::super::stop::{self, Held, demand, fail};
use super::super::supplier::{Says, Supplier};
use super::super::words;
use workbook::promise::Exit;

/// One that has nothing to do any more ends long before, on a busy machine, too.
const LINGERS: Duration = Duration::from_secs(4);

/// An order that has time enough.
pub fn in_flight(bench: &Bench<'_>) -> Held {
    finishes(bench, Under::Nothing)
}

/// The same where it is started by something else.
pub fn finishes(bench: &Bench<'_>, under: Under) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup { grace: 8, under, ..Setup::new(data.path()) })?;
    let key = bench.key("in-flight");
    let (answer, ended) = service.ended_in(&Order::taking(&key, 1000))?;
    demand!(
        answer.new_number().is_some(),
        "The order that was in work at SIGTERM got {answer}; it was to get 201."
    );
    ends_with(ended, 0)?;
    demand!(
        ended.after < LINGERS,
        "0.7 s after SIGTERM nothing was in work any more. It ended {} after SIGTERM, with GRACE=8; it was to \
         end at once.",
        words::time(ended.after)
    );
    Ok(())
}

/// Two that take longer than there is.
pub fn does_not_fit(bench: &Bench<'_>) -> Held {
    /// Two clocks need not agree.
    const EARLY: Duration = Duration::from_millis(100);

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let is_serial = takes_one_at_a_time(bench, &service)?;
    let [first, second] = ["first", "second"].map(|name| bench.key(name));
    let (one, (other, ended)) = service.while_in_work(&Order::taking(&first, 30_000), || {
        service.ended_in(&Order::taking(&second, 30_000))
    })?;
    for answer in [one, other] {
        demand!(
            answer.number().is_none(),
            "An order of 30 s got {answer} although it was not finished."
        );
    }
    ends_with(ended, 1)?;
    demand!(
        ended.after + EARLY >= service.grace(),
        "With two orders in work it ended {} after SIGTERM; GRACE gave them {}.",
        words::time(ended.after),
        words::time(service.grace())
    );
    // Of one that takes one at a time the other may not have been read.
    let told = service.tells_of_unfinished(2);
    if is_serial { told.or_else(|_| service.tells_of_unfinished(1)) } else { told }
}

/// Whether two orders at once take as long as one after the other, or seem to on a busy machine.
fn takes_one_at_a_time(bench: &Bench<'_>, service: &Service) -> Held<bool> {
    const TAKES: Duration = Duration::from_millis(200);

    let begun = Instant::now();
    let [one, other] = ["one", "other"].map(|name| bench.key(name));
    let takes = |key| Order::taking(key, 200);
    service.while_in_work(&takes(&one), || Ok(service.order(&takes(&other))))?;
    Ok(begun.elapsed() >= 2 * TAKES)
}

/// New orders while the last one is finished.
pub fn refused_while_stopping(bench: &Bench<'_>) -> Held {
    /// When they come after the signal, at least half a second after it.
    const NEW: [u64; 3] = [600, 800, 1000];

    let data = bench.data()?;
    let service = Service::start(bench, &Setup { grace: 4, ..Setup::new(data.path()) })?;
    let (first, patience) = (bench.key("first"), Duration::from_secs(6));
    let kept = service.kept_connection();
    let new = |at: u64, signalled: Instant| {
        thread::sleep(Duration::from_millis(at).saturating_sub(signalled.elapsed()));
        let customer =
            if at == NEW[1] { kept.clone() } else { Customer::new(service.port(), false) };
        let key = bench.key(format_args!("new-{at}"));
        let lane = if at == NEW[1] { "kept-connection" } else { &key };
        service.order_of(&customer, lane, &Order::new(&key).within(patience), None)
    };
    let order = Order::taking(&first, 2000);
    let (answer, (ended, others, health)) = service.while_in_work(&order, || {
        thread::sleep(INTO_THE_WORK);
        service.terminate();
        let signalled = Instant::now();
        thread::scope(|scope| {
            let asks = NEW.map(|at| {
                let new = &new;
                thread::Builder::new()
                    .name("customer".to_owned())
                    .spawn_scoped(scope, move || new(at, signalled))
            });
            thread::sleep(Duration::from_millis(700).saturating_sub(signalled.elapsed()));
            let health = service.health();
            let ended = service.ended_in_time();
            if ended.is_err() {
                service.kill();
            }
            let mut others = Vec::new();
            for asks in asks {
                others.push(asks?.join().map_err(|_| stop::broken())?);
            }
            Ok((ended?, others, health))
        })
    })?;
    for (answer, at) in others.iter().zip(NEW) {
        let how = if at == NEW[1] { "a kept connection" } else { "a new connection" };
        demand!(
            matches!(answer.status(), None | Some(503)),
            "A new order on {how}, {} after SIGTERM, got {answer}; it was to get 503 or no answer.",
            words::time(Duration::from_millis(at))
        );
    }
    demand!(
        health.status() != Some(200),
        "0.7 s after SIGTERM GET /health got 200; that says that orders are taken."
    );
    demand!(
        answer.new_number().is_some(),
        "The order that was in work at SIGTERM got {answer}; it was to get 201."
    );
    ends_with(ended, 0)
}

/// An order that waits for a supplier who never answers.
pub fn hung_supplier(bench: &Bench<'_>) -> Held {
    /// How long a service may take to ask, on a busy machine.
    const ASKS: Duration = Duration::from_secs(2);

    /// The limit of the contract, and a second.
    const LIMIT: Duration = Duration::from_secs(6);

    let data = bench.data()?;
    let supplier = Supplier::open(Says::Nothing)?;
    let setup = Setup { supplier: Some(&supplier), ..Setup::new(data.path()) };
    let service = Service::start(bench, &setup)?;
    let begun = Instant::now();
    let answer = service.order(&Order::new(&bench.key("unanswered")).within(LIMIT));
    demand!(
        answer.status() == Some(502),
        "The supplier never answered, and after {} the order got {answer}; it was to get 502.",
        words::time(begun.elapsed())
    );
    drop(service);
    let service = Service::start(bench, &setup)?;
    let key = bench.key("hung");
    let (answer, ended) = service.while_in_work(&Order::new(&key), || {
        let until = Instant::now() + ASKS;
        while supplier.asked() == 1 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(INTO_THE_WORK);
        service.terminate();
        service.ended_in_time()
    })?;
    demand!(answer.number().is_none(), "The supplier never answered, and the order got {answer}.");
    match (ended.exit, answer.status()) {
        (Exit::Code(0), Some(502)) => Ok(()),
        (Exit::Code(1), _) => service.tells_of_unfinished(1),
        _ => fail!(
            "The supplier never answered; the order got {answer}, and the service ended {}. It was \
             to be 502 and exit code 0, or exit code 1 with `unfinished: 1`.",
            words::exit(ended.exit)
        ),
    }
}
