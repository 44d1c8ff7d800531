//! A guard without a name, and the statement that keeps it while it joins.

use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, mem};

use tracing::info;

static STAFF: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

fn staff() -> MutexGuard<'static, Vec<JoinHandle<()>>> {
    STAFF.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn main() -> ExitCode {
    lesson_log::init();
    let word = env::args_os().nth(1).unwrap_or_default();
    let close: fn() = match word.to_string_lossy().as_ref() {
        "let" => with_let,
        "if-let" => with_if_let,
        "else" => with_else,
        "while-let" => with_while_let,
        "for" => with_for,
        "take" => with_take,
        _ => {
            return lesson_log::failure(
                "which statement? let, if-let, else, while-let, for or take",
            );
        }
    };
    let clerk = thread::Builder::new().name("clerk".to_owned()).spawn(serve);
    if let Err(error) = clerk.map(|clerk| staff().push(clerk)) {
        return lesson_log::failure(format!(
            "cannot start the thread clerk: {error}"
        ));
    }
    info!("the shop closes");
    close();
    info!("nobody is left to wait for");
    ExitCode::SUCCESS
}

/// Takes 1 s, and then wants the lock.
fn serve() {
    thread::sleep(Duration::from_secs(1));
    info!("the last customer is served");
    info!("{} others are on the list", staff().len());
}

// ANCHOR: let
fn with_let() {
    let all = mem::take(&mut *staff());
    for clerk in all {
        join(clerk);
    }
}
// ANCHOR_END: let

// ANCHOR: statements
fn with_if_let() {
    if let Some(clerk) = staff().pop() {
        join(clerk);
    }
}

fn with_else() {
    let clerk = staff().pop();
    if let Some(other) = staff().first() {
        info!("{:?} is still here", other.thread().name());
    } else if let Some(clerk) = clerk {
        join(clerk);
    }
}

fn with_while_let() {
    while let Some(clerk) = staff().pop() {
        join(clerk);
    }
}

fn with_for() {
    for clerk in staff().drain(..) {
        join(clerk);
    }
}

fn with_take() {
    for clerk in mem::take(&mut *staff()) {
        join(clerk);
    }
}
// ANCHOR_END: statements

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        info!("a thread has panicked");
    }
}
