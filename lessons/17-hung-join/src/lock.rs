//! `main` waits for the cashier, which waits for a lock that `main` holds.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;

use crate::{join, start, work_for};

// ANCHOR: run
pub fn run(repaired: bool) -> Result<(), String> {
    let total = Arc::new(Mutex::new(0));
    let shared = Arc::clone(&total);
    let cashier = start("cashier", move || {
        let money = count_the_money();
        *shared.lock().unwrap_or_else(PoisonError::into_inner) += money;
    })?;
    let mut sum = total.lock().unwrap_or_else(PoisonError::into_inner);
    *sum += 5;
    if repaired {
        drop(sum);
    }
    join(cashier)?;
    info!("the total is {}", total.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}
// ANCHOR_END: run

/// Takes 1 s.
fn count_the_money() -> u32 {
    work_for(1000);
    info!("the money is counted");
    7
}
