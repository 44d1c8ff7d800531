//! Change a value that two threads share.

use std::process::ExitCode;
use std::sync::Mutex;
use std::{io, thread};

use tracing::info;

// ANCHOR: cell
static BALANCE: Mutex<u32> = Mutex::new(0);

fn deposit(amount: u32) {
    let mut balance = BALANCE.lock().expect("poisoned");
    *balance += amount;
    // Unlocked here, where `balance` is dropped.
}
// ANCHOR_END: cell

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!(
            "cannot start the tellers: {why}"
        )),
    }
}

fn run() -> io::Result<()> {
    info!("two tellers take deposits");
    thread::scope(|scope| {
        for number in 1..=2 {
            thread::Builder::new()
                .name(format!("teller-{number}"))
                .spawn_scoped(scope, take_deposits)?;
        }
        io::Result::Ok(())
    })?;
    let balance = BALANCE.lock().expect("poisoned");
    info!("the balance is {balance}");
    Ok(())
}

fn take_deposits() {
    for _ in 0..100 {
        deposit(10);
    }
}
