//! A scope does not wait for the destructor of a thread-local value; a join does.

use std::thread::{self, Builder};
use std::time::Duration;
use std::{env, io, panic};

use tracing::info;

fn main() -> io::Result<()> {
    lesson_log::init();
    info!("north adds up the sales");
    let joins = env::args().nth(1).is_some();

    thread::scope(|scope| {
        let north = worker("north").spawn_scoped(scope, || add_up(&[7, 9], 500))?;
        if joins {
            north.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
        io::Result::Ok(())
    })?;

    info!("the scope has returned");
    Ok(())
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
        // Not with `tracing`, whose own thread-local values may be gone by now.
        println!("the notes of north are put away");
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
