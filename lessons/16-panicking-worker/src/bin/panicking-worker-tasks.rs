//! A task of tokio panics: the runtime catches it, and who joins the task can see it.

use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time;
use tracing::info;

// ANCHOR: main
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lesson_log::init();
    info!("3 orders are to be imported");
    let mut orders = JoinSet::new();
    for order in 1..=3 {
        orders.spawn(import(order));
    }
    let mut code = ExitCode::SUCCESS;
    while let Some(result) = orders.join_next().await {
        match result {
            Ok(order) => info!("order {order} is imported"),
            Err(error) if error.is_panic() => {
                info!("an order is not imported: its task has panicked");
                code = ExitCode::FAILURE;
            }
            Err(_) => info!("an order is not imported: its task was aborted"),
        }
    }
    code
}
// ANCHOR_END: main

/// Takes half a second more for each order; the second has no customer.
async fn import(order: u32) -> u32 {
    time::sleep(order * Duration::from_millis(500)).await;
    if order == 2 {
        panic!("order {order} has no customer");
    }
    order
}
