//! An error is tried again, later each time, and given up after three times. A panic is a bug.

use std::any::Any;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use tracing::info;

const RETRIES: u32 = 3;

fn main() -> ExitCode {
    lesson_log::init();
    let argument = env::args_os().nth(1).unwrap_or_else(|| "2".into());
    let trouble = match (argument.to_str(), argument.to_str().map(str::parse)) {
        (Some("bug"), _) => Trouble::Bug,
        (_, Some(Ok(attempts))) => Trouble::Away { attempts },
        _ => {
            let argument = argument.display();
            return lesson_log::failure(format!("not bug or a number: {argument}"));
        }
    };
    match supervise(&trouble) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: supervise
fn supervise(trouble: &Trouble) -> Result<(), String> {
    info!("4 orders are to be imported");
    // What has to survive an attempt lives here, and not in the importer.
    let mut next = 1;
    for attempt in 0..=RETRIES {
        let name = format!("importer-{}", attempt + 1);
        let importer = thread::Builder::new().name(name.clone());
        let ended = thread::scope(|scope| {
            importer
                .spawn_scoped(scope, || import(&mut next, attempt, trouble))
                .map(|importer| importer.join())
                .map_err(|error| format!("cannot start {name}: {error}"))
        })?;
        match ended {
            Ok(Ok(())) => {
                info!("every order is imported");
                return Ok(());
            }
            // Something outside is not as it should be, and may be so later.
            Ok(Err(error)) => info!("{name} has failed: {error}"),
            // A bug. Trying again would meet the same order with the same code.
            Err(payload) => {
                return Err(format!("{name} has panicked: {}", reason(&*payload)));
            }
        }
        if attempt < RETRIES {
            let pause = Duration::from_millis(500) * 2_u32.pow(attempt);
            info!(
                "the next one starts in {} s or a little more",
                pause.as_secs_f64()
            );
            // Not all who wait for the same database come back at once.
            thread::sleep(pause.mul_f64(1.0 + fastrand::f64() / 20.0));
        }
    }
    Err(format!("given up after {RETRIES} retries"))
}
// ANCHOR_END: supervise

// ANCHOR: reason
/// What stands in the panic's message: a `&str` or a `String`, or something else.
fn reason(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "it does not say why"
    }
}
// ANCHOR_END: reason

enum Trouble {
    /// The database is away, for so many attempts.
    Away {
        attempts: u32,
    },
    Bug,
}

// ANCHOR: import
/// Takes half a second for an order. The third needs a database.
fn import(next: &mut u32, attempt: u32, trouble: &Trouble) -> Result<(), String> {
    while *next <= 4 {
        thread::sleep(Duration::from_millis(500));
        match trouble {
            Trouble::Away { attempts } if *next == 3 && attempt < *attempts => {
                return Err(format!("order {next}: the database does not answer"));
            }
            Trouble::Bug if *next == 3 => panic!("order {next} has no customer"),
            _ => info!("order {next} is imported"),
        }
        *next += 1;
    }
    Ok(())
}
// ANCHOR_END: import
