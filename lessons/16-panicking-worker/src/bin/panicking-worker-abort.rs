//! Panics in a worker that end the whole process: none of them can be joined or caught.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, panic, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let work: fn() -> Option<Order> = match way.to_str() {
        Some("drop") => drop_while_unwinding,
        Some("extern-c") => out_of_extern_c,
        Some("thread-local") => in_a_thread_local,
        Some("result") => in_the_result,
        _ => {
            return lesson_log::failure(
                "say drop, extern-c, thread-local or result",
            );
        }
    };
    // A line or two for each panic: the standard hook prints a long backtrace for the one that
    // aborts.
    panic::set_hook(Box::new(|info| {
        // Nobody reads it: there is nothing else to do, and to panic here would abort.
        let _ = writeln!(io::stderr(), "{info}");
    }));
    info!("I go on beside the worker");
    let worker = thread::Builder::new().name("worker".to_owned());
    let worker = match worker.spawn(work) {
        Ok(worker) => worker,
        Err(error) => {
            return lesson_log::failure(format!("cannot start worker: {error}"));
        }
    };
    if way == "result" {
        // Nobody will take what it returns.
        drop(worker);
        thread::sleep(Duration::from_secs(2));
    } else if worker.join().is_err() {
        info!("the worker has panicked");
    }
    info!("I live on");
    ExitCode::SUCCESS
}

// ANCHOR: ways
struct Order;

impl Drop for Order {
    fn drop(&mut self) {
        panic!("the order is not closed");
    }
}

/// The second panic comes while the first one unwinds.
fn drop_while_unwinding() -> Option<Order> {
    let _order = Order;
    panic!("the order has no customer");
}

/// As C calls a function that it was given.
extern "C" fn callback() {
    panic!("the callback has no order");
}

/// Nothing may unwind into C, so Rust stops the panic at the border.
fn out_of_extern_c() -> Option<Order> {
    callback();
    None
}

thread_local! {
    static LAST_ORDER: Order = const { Order };
}

/// The worker returns. Then its thread-local values are dropped.
fn in_a_thread_local() -> Option<Order> {
    LAST_ORDER.with(|_| info!("the worker has nothing left to do"));
    None
}

/// What a detached thread returns is dropped when it ends.
fn in_the_result() -> Option<Order> {
    Some(Order)
}
// ANCHOR_END: ways
