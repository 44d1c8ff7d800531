//! A scope does not wait for the destructor of a thread-local value; a join does.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::Duration;
use std::{env, panic};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    info!("north adds up the sales");
    let joins = env::args_os().nth(1).is_some();

    let started = thread::scope(|scope| {
        let north = worker("north").spawn_scoped(scope, || add_up(&[7, 9], 500))?;
        if joins {
            match north.join() {
                Ok(()) => {}
                Err(payload) => panic::resume_unwind(payload),
            }
        }
        io::Result::Ok(())
    });
    if let Err(error) = started {
        return lesson_log::failure(format!("cannot start a worker: {error}"));
    }

    info!("the scope has returned");
    ExitCode::SUCCESS
}

// ANCHOR: local
thread_local! {
    static NOTES: Notes = const { Notes };
}

/// What a worker writes down for itself. Its thread drops it at its very end.
struct Notes;

impl Drop for Notes {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(1500));
        // Not with `tracing`, whose own thread-local values may be gone by now; and not with
        // `println!`, whose panic would abort the process here.
        let _ = io::stdout().write_all(b"the notes of north are put away\n");
    }
}

fn add_up(sales: &[u32], millis: u64) {
    thread::sleep(Duration::from_millis(millis));
    let total: u32 = sales.iter().sum();
    // Only a thread that asks for the value has one to drop.
    NOTES.with(|_notes| info!("my total is {total}"));
}
// ANCHOR_END: local

fn worker(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}
