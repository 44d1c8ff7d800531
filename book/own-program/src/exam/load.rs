//! Many customers at once, who order one thing after the other.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use super::client::{Answer, Customer, Order};
use super::service::Service;
use super::stop::Held;

/// How long a customer pauses whose order was not taken.
const PAUSE: Duration = Duration::from_millis(5);

/// An order that was posted, and what came.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its key.
    pub key: String,
    /// What came.
    pub answer: Answer,
}

/// Has so many customers order until something else is done; every other one keeps its connection. Their
/// keys begin alike.
pub fn meanwhile<T>(
    service: &Service,
    customers: usize,
    (keys, takes): (&str, Range<u32>),
    dice: &mut Rng,
    act: impl FnOnce() -> Held<T>,
) -> Held<(Vec<Placed>, T)> {
    let is_over = AtomicBool::new(false);
    let placed = Mutex::new(Vec::new());
    let place = |number: usize, mut dice: Rng| {
        let customer = Customer::new(service.port(), number.is_multiple_of(2));
        for order in 0.. {
            if is_over.load(Ordering::SeqCst) {
                return;
            }
            let key = format!("{keys}-{number}-{order}");
            let takes = if takes.is_empty() { 0 } else { dice.u32(takes.clone()) };
            let lane = format!("customer-{}", number + 1);
            let answer = service.order_of(&customer, &lane, &Order::taking(&key, takes), None);
            let is_taken = answer.number().is_some();
            placed.lock().unwrap_or_else(PoisonError::into_inner).push(Placed { key, answer });
            if !is_taken {
                thread::sleep(PAUSE);
            }
        }
    };
    let done = thread::scope(|scope| {
        for number in 0..customers {
            let (place, dice) = (&place, Rng::with_seed(dice.u64(..)));
            let begun = thread::Builder::new()
                .name("customer".to_owned())
                .spawn_scoped(scope, move || place(number, dice));
            if let Err(error) = begun {
                is_over.store(true, Ordering::SeqCst);
                return Err(error.into());
            }
        }
        // Whatever came of it, they have to come to an end.
        let done = act().inspect_err(|_| service.kill());
        is_over.store(true, Ordering::SeqCst);
        done
    })?;
    Ok((placed.into_inner().unwrap_or_else(PoisonError::into_inner), done))
}
