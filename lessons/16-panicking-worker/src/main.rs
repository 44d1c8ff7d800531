//! A worker that panics is started again, later each time, and given up after three times.

use std::any::Any;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

const RESTARTS: u32 = 3;

// ANCHOR: main
fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let argument = env::args().nth(1).unwrap_or_else(|| "2".to_owned());
    let Ok(failures) = argument.parse::<u32>() else {
        eprintln!("not a number of failures: {argument}");
        return Ok(ExitCode::FAILURE);
    };
    info!("4 orders are to be imported");
    // What has to survive a restart lives here, and not in the worker.
    let orders = Arc::new(Orders { next: 1.into(), failures: failures.into() });
    for restart in 0..=RESTARTS {
        let orders = Arc::clone(&orders);
        let name = format!("importer-{}", restart + 1);
        let importer = thread::Builder::new().name(name.clone());
        let Err(panic) = importer.spawn(move || import(&orders))?.join() else {
            info!("every order is imported");
            return Ok(ExitCode::SUCCESS);
        };
        info!("{name} has panicked: {}", reason(&*panic));
        if restart < RESTARTS {
            let pause = Duration::from_millis(500) * 2_u32.pow(restart);
            info!("the next one starts in {} s", pause.as_secs_f64());
            thread::sleep(pause);
        }
    }
    eprintln!("given up after {RESTARTS} restarts");
    Ok(ExitCode::FAILURE)
}
// ANCHOR_END: main

// ANCHOR: reason
/// What stands in the panic's message: a `&str` or a `String`, or something else.
fn reason(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "it does not say why"
    }
}
// ANCHOR_END: reason

struct Orders {
    next: AtomicU32,
    failures: AtomicU32,
}

/// Takes half a second for an order. The third needs a database that may be away.
fn import(orders: &Orders) {
    loop {
        let order = orders.next.load(Ordering::Relaxed);
        if order > 4 {
            return;
        }
        thread::sleep(Duration::from_millis(500));
        let away = orders.failures.load(Ordering::Relaxed);
        if order == 3 && away > 0 {
            orders.failures.store(away - 1, Ordering::Relaxed);
            panic!("order {order}: the database does not answer");
        }
        info!("order {order} is imported");
        orders.next.store(order + 1, Ordering::Relaxed);
    }
}
