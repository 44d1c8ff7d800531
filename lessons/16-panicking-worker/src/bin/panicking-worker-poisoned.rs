//! A worker panics with a lock in its hand, halfway through a change.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::{env, io, panic, thread};

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

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let way = env::args().nth(1).unwrap_or_default();
    if !["unwrap", "repair", "drop", "careful-drop"].contains(&way.as_str()) {
        eprintln!("say: unwrap, repair, drop or careful-drop");
        return Ok(ExitCode::FAILURE);
    }
    // A line or two for each panic, also for the one that aborts: the standard hook would
    // print forty lines of backtrace for that one.
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
    info!("30 are to be transferred");
    let teller = thread::Builder::new().name("teller".to_owned());
    if teller.spawn(|| transfer(30, true))?.join().is_err() {
        info!("the teller has panicked");
    }
    match way.as_str() {
        "unwrap" => close_the_books(),
        "repair" => repair(),
        _ => {
            let _report = Report { careful: way == "careful-drop" };
            close_the_books();
        }
    }
    Ok(ExitCode::SUCCESS)
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
