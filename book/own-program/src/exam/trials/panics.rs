//! Workers that panic, until a service that loses one each time has none left.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use workbook::promise::Exit;

use super::super::bench::Bench;
use super::super::client::{Answer, Customer, Order};
use super::super::service::{Service, Setup, ends_with};
use super::super::stop::{Held, demand, fail};
use super::super::words;

/// How long all panics may take, and the service afterwards.
const LIMIT: Duration = Duration::from_secs(5);
/// How soon a service ends that goes with its worker.
const ENDS: Duration = Duration::from_secs(2);
/// How long a customer pauses before it asks again.
const PAUSE: Duration = Duration::from_millis(50);

/// Holds it.
pub fn worker_panic(bench: &Bench<'_>) -> Held {
    const PANICS: usize = 64;
    const AT_ONCE: usize = 16;

    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let next = AtomicUsize::new(0);
    let until = Instant::now() + LIMIT;
    let panics = side_by_side(AT_ONCE, |number| {
        let lane = format!("customer-{}", number + 1);
        let customer = Customer::new(service.port(), false);
        loop {
            let panic = next.fetch_add(1, Ordering::SeqCst);
            let left = until.saturating_duration_since(Instant::now());
            if panic >= PANICS || left.is_zero() {
                return None;
            }
            let key = bench.key(format_args!("panic-{panic}"));
            let order = Order { panics: true, ..Order::new(&key).within(left) };
            let answer = service.order_of(&customer, &lane, &order, None);
            if answer.status().is_some_and(|status| status < 500) {
                return Some(answer);
            }
        }
    })?;
    if let Some(answer) = panics.iter().flatten().next() {
        fail!(
            "An order whose worker panics got {answer}; it was to get a 5xx or a closed connection."
        );
    }
    let last = Instant::now();
    let until = last + LIMIT;
    let orders = side_by_side(AT_ONCE, |number| {
        let key = bench.key(format_args!("after-{number}"));
        patiently(&service, &key, until)
    })?;
    let refused = orders.iter().filter(|answer| answer.number().is_none()).count();
    let health = service.health();
    if refused == 0 && health.status() == Some(200) {
        let again = service.order(&Order::new(&bench.key("panic-0")));
        demand!(
            again.new_number().is_some(),
            "An order whose worker had panicked was posted again, as one that does not, and got {again}; it was \
             to get 201."
        );
        service.terminate();
        return ends_with(service.ended_in_time()?, 0).map_err(|stop| {
            stop.retold(|why| {
                format!(
                    "After {PANICS} panics of workers it went on, and nothing was in work. {why}"
                )
            })
        });
    }
    let left = ENDS.saturating_sub(last.elapsed());
    if let Some(ended) = service.ended_within(left)? {
        demand!(
            ended.exit != Exit::Code(0),
            "After {PANICS} panics of workers it ended with exit code 0; that says that all is well."
        );
        return Ok(());
    }
    if let Some(answer) = orders.iter().find(|answer| answer.number().is_none()) {
        fail!(
            "After {PANICS} panics of workers {refused} of {AT_ONCE} orders were not taken within {}; one \
             got {answer}. It was to go on, or to end with an exit code other than 0.",
            words::time(LIMIT)
        );
    }
    fail!("After {PANICS} panics of workers GET /health got {health}; it was to get 200.")
}

/// Posts an order until it is taken, the service is gone, or time is over.
fn patiently(service: &Service, key: &str, until: Instant) -> Answer {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let answer = service.order(&Order::new(key).within(left.max(PAUSE)));
        let is_over = left.is_zero() || matches!(service.ended_within(Duration::ZERO), Ok(Some(_)));
        if answer.number().is_some() || is_over {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}

/// So many at once, and what came of each.
fn side_by_side<T: Send>(many: usize, act: impl Fn(usize) -> T + Sync) -> Held<Vec<T>> {
    thread::scope(|scope| {
        let begun: Vec<_> = (0..many)
            .map(|number| {
                let act = &act;
                thread::Builder::new()
                    .name("customer".to_owned())
                    .spawn_scoped(scope, move || act(number))
            })
            .collect();
        let mut done = Vec::new();
        for begun in begun {
            if let Ok(one) = begun?.join() {
                done.push(one);
            }
        }
        Ok(done)
    })
}
