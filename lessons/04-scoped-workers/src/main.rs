//! Three workers borrow a slice each, and their scope waits for all of them.

use std::io;
use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::Duration;

use tracing::info;

// ANCHOR: main
fn main() -> ExitCode {
    lesson_log::init();
    info!("three workers add up the sales");
    let sales = Sales(vec![7, 9, 4, 6, 5, 3]);
    let all = &sales.0;
    let (mut north, mut south, mut west) = (0, 0, 0);

    let started = thread::scope(|scope| {
        worker("north").spawn_scoped(scope, || north = add_up(&all[0..2], 500))?;
        worker("south").spawn_scoped(scope, || south = add_up(&all[2..4], 1500))?;
        worker("west").spawn_scoped(scope, || west = add_up(&all[4..6], 2500))?;

        count_the_till();
        // No join. After this closure, `scope` waits for all three.
        io::Result::Ok(())
    });
    if let Err(error) = started {
        return lesson_log::failure(format!("cannot start a worker: {error}"));
    }

    info!("north {north}, south {south}, west {west}");
    ExitCode::SUCCESS
}
// ANCHOR_END: main

// ANCHOR: sales
/// Belongs to `main`, and says when it is gone.
struct Sales(Vec<u32>);

impl Drop for Sales {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(200));
        info!("the sales are put away");
    }
}
// ANCHOR_END: sales

// ANCHOR: work
/// A worker's part: reads a slice that belongs to `main`.
fn add_up(sales: &[u32], millis: u64) -> u32 {
    thread::sleep(Duration::from_millis(millis));
    let total = sales.iter().sum();
    info!("my total is {total}");
    total
}

/// What `main` does meanwhile.
fn count_the_till() {
    thread::sleep(Duration::from_secs(1));
    info!("the till is counted");
}
// ANCHOR_END: work

fn worker(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}
