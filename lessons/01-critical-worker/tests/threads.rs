//! What the test harness learns of a thread that panics: what the test's own thread hears of.
//!
//! Run it:  cargo test -p critical-worker --test threads
#![expect(
    clippy::disallowed_methods,
    reason = "tests as they are written: a thread has no name"
)]

use std::thread;

// ANCHOR: passes
#[test]
fn passes_although_its_thread_panicked() {
    let worker = thread::spawn(|| assert_eq!(2 + 2, 5));
    while !worker.is_finished() {
        thread::yield_now();
    }
}

#[test]
fn passes_although_it_joins() {
    let worker = thread::spawn(|| assert_eq!(2 + 2, 5));
    let _ = worker.join();
}
// ANCHOR_END: passes

// ANCHOR: fails
#[test]
#[should_panic(expected = "the worker panicked")]
fn fails_because_it_joins() {
    let worker = thread::spawn(|| assert_eq!(2 + 2, 5));
    worker.join().expect("the worker panicked");
}

#[test]
#[should_panic(expected = "a scoped thread panicked")]
fn fails_because_its_scope_joins() {
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(2 + 2, 5));
    });
}
// ANCHOR_END: fails

// ANCHOR: unseen
#[test]
#[expect(
    unused_results,
    reason = "no lint that is on sees it: `JoinHandle` is not `must_use`"
)]
fn passes_and_is_not_even_warned_of() {
    thread::spawn(|| assert_eq!(2 + 2, 5));
}

#[test]
#[expect(let_underscore_drop, reason = "no lint that is on sees this either")]
fn passes_and_nobody_keeps_the_handle() {
    let _ = thread::spawn(|| assert_eq!(2 + 2, 5));
}
// ANCHOR_END: unseen
