//! Three threads panic, each with another kind of value; `main` looks what it was.

use std::process::ExitCode;
use std::{io, panic, thread};

use tracing::info;

// ANCHOR: main
fn main() -> ExitCode {
    lesson_log::init();
    let workers: [(_, fn(u32)); 3] = [
        ("literal", |_| panic!("an order has no customer")),
        ("formatted", |order| panic!("order {order} has no customer")),
        ("error", |_| panic::panic_any(io::Error::other("the disk is full"))),
    ];
    for (name, work) in workers {
        let worker = thread::Builder::new().name(name.to_owned());
        let payload = match worker.spawn(move || work(3)).map(|it| it.join()) {
            Ok(Ok(())) => continue,
            Ok(Err(payload)) => payload,
            Err(error) => {
                return lesson_log::failure(format!(
                    "cannot start {name}: {error}"
                ));
            }
        };
        if let Some(text) = payload.downcast_ref::<&str>() {
            info!("{name}: a &str, {text}");
        } else if let Some(text) = payload.downcast_ref::<String>() {
            info!("{name}: a String, {text}");
        } else if let Some(error) = payload.downcast_ref::<io::Error>() {
            info!("{name}: an io::Error, {error}");
        }
    }
    ExitCode::FAILURE
}
// ANCHOR_END: main
