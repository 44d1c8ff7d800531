//! A worker panics with a lock in its hand, halfway through a change.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::{env, panic, thread};

use tracing::info;

// ANCHOR: transfer
struct Accounts {
    checking: u32,
    savings: u32,
}

static ACCOUNTS: Mutex<Accounts> =
    Mutex::new(Accounts { checking: 100, savings: 0 });

/// The money is taken from one account, and has not come to the other.
fn transfer(amount: u32, closed: bool) {
    let mut accounts = ACCOUNTS.lock().expect("no transfer has panicked");
    accounts.checking -= amount;
    if closed {
        panic!("the savings account is closed");
    }
    accounts.savings += amount;
}
// ANCHOR_END: transfer

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let way = way.to_str().unwrap_or_default();
    if !["unwrap", "repair", "drop", "careful-drop"].contains(&way) {
        return lesson_log::failure("say: unwrap, repair, drop or careful-drop");
    }
    // A line or two for each panic, also for the one that aborts: the standard hook would
    // print a long backtrace for that one. `eprintln!` would panic on a dead pipe,
    // and a hook that panics aborts.
    panic::set_hook(Box::new(|info| {
        let _ = writeln!(io::stderr(), "{info}");
    }));
    info!("30 are to be transferred");
    let teller = thread::Builder::new().name("teller".to_owned());
    match teller.spawn(|| transfer(30, true)).map(|teller| teller.join()) {
        Ok(Ok(())) => info!("the money is transferred"),
        Ok(Err(_)) => info!("the teller has panicked"),
        Err(error) => {
            return lesson_log::failure(format!(
                "cannot start the teller: {error}"
            ));
        }
    }
    match way {
        "unwrap" => close_the_books(),
        "repair" => repair(),
        _ => {
            let _report = Report { careful: way == "careful-drop" };
            close_the_books();
        }
    }
    ExitCode::SUCCESS
}

// ANCHOR: unwrap
#[expect(
    clippy::unwrap_used,
    reason = "what it does to a poisoned lock is the subject"
)]
fn close_the_books() {
    let accounts = ACCOUNTS.lock().unwrap();
    info!("{} and {}", accounts.checking, accounts.savings);
}
// ANCHOR_END: unwrap

// ANCHOR: repair
fn repair() {
    let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    info!("found: {} and {}", accounts.checking, accounts.savings);
    accounts.checking = 100 - accounts.savings;
    info!("repaired: {} and {}", accounts.checking, accounts.savings);
    drop(accounts);
    ACCOUNTS.clear_poison();
    close_the_books();
}
// ANCHOR_END: repair

// ANCHOR: drop
/// Writes a last report when it is dropped.
struct Report {
    careful: bool,
}

impl Drop for Report {
    fn drop(&mut self) {
        let accounts = if self.careful {
            ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner)
        } else {
            ACCOUNTS.lock().expect("nobody panics with this lock")
        };
        info!("the report: {} and {}", accounts.checking, accounts.savings);
    }
}
// ANCHOR_END: drop
