//! What the contract says of a service that nobody disturbs.

use std::time::{Duration, Instant};

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::service::{Service, Setup};
use super::super::stop::{Held, demand, fail};
use super::super::supplier::{Says, Supplier};
use super::super::words;

/// The longest text of an order.
pub const LONGEST_TEXT: usize = 16 << 10;

/// Holds it.
pub fn basics(bench: &Bench<'_>) -> Held {
    takes_orders(bench)?;
    asks_its_supplier(bench)
}

fn takes_orders(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup::new(data.path()))?;
    let (key, other, slow) = (bench.key("one"), bench.key("two"), bench.key("slow"));
    let long_key = format!("{}-{}", bench.key("long"), "k".repeat(64));
    let long_key = &long_key[..64];
    let text: Vec<u8> = (0..LONGEST_TEXT).map(|at| b'a' + (at % 26) as u8).collect();

    let first = service.order(&Order::new(&key));
    let Some(number) = first.new_number() else {
        fail!("A new order got {first}; it was to get 201 and its number.")
    };
    let again = service.order(&Order::new(&key));
    demand!(
        again.status() == Some(200) && again.number() == Some(number),
        "The same key a second time got {again}; it was to get 200 and the same number, {number}."
    );
    let second = service.order(&Order::new(&other));
    let Some(next) = second.new_number() else {
        fail!("A second order got {second}; it was to get 201 and its number.")
    };
    demand!(
        next > number,
        "The second order got the number {next} after {number}; numbers were to increase."
    );
    let start = Instant::now();
    let worked = service.order(&Order::taking(&slow, 300));
    let took = start.elapsed();
    let Some(slows) = worked.new_number() else {
        fail!("An order with takes=300 got {worked}; it was to get 201 and its number.")
    };
    demand!(
        took >= Duration::from_millis(295),
        "An order with takes=300 was answered after {}; it was to be 300 ms in work.",
        words::time(took)
    );
    let long = service.order(&Order { text: &text, ..Order::new(long_key) });
    let Some(longs) = long.new_number() else {
        fail!("An order of 16 KiB with a key of 64 letters got {long}; it was to get 201.")
    };
    let stored = service.orders()?;
    let keys = [(number, &*key), (next, &*other), (slows, &*slow), (longs, long_key)];
    for (number, key) in keys {
        let times = stored.iter().filter(|order| **order == (number, key.to_owned())).count();
        demand!(
            times == 1,
            "GET /orders has the line `{number} {key}` {times} times; it was to have it once."
        );
    }
    demand!(
        stored.len() == keys.len(),
        "GET /orders has {} lines after {} orders.",
        stored.len(),
        keys.len()
    );
    Ok(())
}

fn asks_its_supplier(bench: &Bench<'_>) -> Held {
    let data = bench.data()?;
    let supplier = Supplier::open(Says::Status(200))?;
    let setup = Setup { supplier: Some(&supplier), ..Setup::new(data.path()) };
    let service = Service::start(bench, &setup)?;
    let (key, refused) = (bench.key("in-stock"), bench.key("sold-out"));
    let first = service.order(&Order::new(&key));
    demand!(
        first.new_number().is_some(),
        "With a supplier that says 200 a new order got {first}; it was to get 201."
    );
    demand!(
        supplier.asked() == 1,
        "For one new order the supplier was asked for /stock {} times; it was to be asked once.",
        supplier.asked()
    );
    let again = service.order(&Order::new(&key));
    demand!(
        again.status() == Some(200),
        "With a supplier, the same key a second time got {again}; it was to get 200."
    );
    demand!(supplier.asked() == 1, "For a known key the supplier was asked once more.");
    for (earlier, status) in (1..).zip([503, 404, 204]) {
        supplier.say(Says::Status(status));
        let order = service.order(&Order::new(&refused));
        demand!(
            order.status() == Some(502),
            "With a supplier that says {status} a new order got {order}; it was to get 502."
        );
        let asked = supplier.asked() - earlier;
        demand!(
            asked == 1,
            "For an order that it refused with {status} the supplier was asked {asked} times; it was to be \
             asked once."
        );
    }
    let stored = service.orders()?;
    demand!(
        !stored.iter().any(|(_, stored)| *stored == refused),
        "An order that got 502 is stored."
    );
    supplier.say(Says::Status(200));
    let order = service.order(&Order::new(&refused));
    demand!(
        order.new_number().is_some(),
        "An order that had got 502 was posted again when the supplier said 200, and got {order}; it was to \
         get 201."
    );
    drop(supplier);
    let order = service.order(&Order::new(&bench.key("nobody")));
    demand!(
        order.status() == Some(502),
        "With a supplier that takes no connection a new order got {order}; it was to get 502."
    );
    Ok(())
}
