//! What can still run at the end of a process: in which order, and on which thread.

use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use lesson_log::LogLine;
use tracing::info;

const WAYS: [&str; 5] = ["return", "panic", "exit", "worker-panic", "worker-exit"];
static START: OnceLock<Instant> = OnceLock::new();

// ANCHOR: main
fn main() -> ExitCode {
    // First: the handler's clock must not be behind the log's.
    START.get_or_init(Instant::now);
    lesson_log::init();
    let way = env::args().nth(1).unwrap_or_else(|| "return".to_owned());
    if !WAYS.contains(&way.as_str()) {
        eprintln!("unknown way out `{way}`; choose from {}", WAYS.join(", "));
        return ExitCode::FAILURE;
    }
    info!("my own work takes 1.5 s; then the way out is: {way}");
    let _guard = Guard("main's guard runs");
    panic::set_hook(Box::new(|_| info!("the panic hook runs")));
    if let Err(error) = register_exit_handler().and_then(|()| start_ticker(&way)) {
        eprintln!("cannot start: {error}");
        return ExitCode::FAILURE;
    }

    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    match way.as_str() {
        "panic" => panic!("main fails"),
        "exit" => process::exit(3),
        _ => ExitCode::SUCCESS,
    }
}
// ANCHOR_END: main

/// Has its say when it is dropped.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        info!("{}", self.0);
    }
}

// ANCHOR: handler
#[expect(unsafe_code, reason = "std has no exit handlers, only C has")]
fn register_exit_handler() -> io::Result<()> {
    // SAFETY: it may run at any time, beside all other threads: what it uses is
    // synchronised. A panic in it cannot unwind into C: it would abort.
    match unsafe { libc::atexit(exit_handler) } {
        0 => Ok(()),
        _ => Err(io::Error::other("no room for an exit handler")),
    }
}

extern "C" fn exit_handler() {
    say("the exit handler starts");
    thread::sleep(Duration::from_secs(2));
    say("the exit handler is done");
}

/// A log line without `tracing`, whose thread-local values are gone by now.
fn say(text: &str) {
    let at = START.get().map_or(Duration::ZERO, Instant::elapsed);
    let thread = thread::current().name().unwrap_or("unnamed").to_owned();
    let line = LogLine { at, thread, text: text.to_owned() };
    // Where stdout is closed there is nobody left to tell; `println!` would panic.
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}
// ANCHOR_END: handler

// ANCHOR: ticker
/// Ticks at 0 s, 1 s, 2 s and so on, and is never joined.
#[expect(clippy::exit, reason = "one of the ways out that this lesson compares")]
fn start_ticker(way: &str) -> io::Result<()> {
    let way = way.to_owned();
    let tick = move || {
        let _guard = Guard("the ticker's guard runs");
        let start = Instant::now();
        for tick in 1.. {
            info!("tick {tick}");
            match (tick, way.as_str()) {
                (2, "worker-panic") => panic!("the ticker fails"),
                (2, "worker-exit") => process::exit(3),
                _ => {}
            }
            let next = start + tick * Duration::from_secs(1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    };
    thread::Builder::new().name("ticker".to_owned()).spawn(tick)?;
    Ok(())
}
// ANCHOR_END: ticker
