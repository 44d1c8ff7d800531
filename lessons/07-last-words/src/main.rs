//! What can still run at the end of a process: in which order, and on which thread.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, thread};

use lesson_log::LogLine;
use tracing::info;

// ANCHOR: main
const WAYS: [&str; 5] = ["return", "panic", "exit", "worker-panic", "worker-exit"];
static START: OnceLock<Instant> = OnceLock::new();

fn main() -> ExitCode {
    // First: the handler's clock must not be behind the log's.
    START.get_or_init(Instant::now);
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_else(|| "return".into());
    let Some(way) = WAYS.into_iter().find(|known| way == *known) else {
        let (way, ways) = (way.display(), WAYS.join(", "));
        return lesson_log::failure(format!(
            "unknown way out `{way}`; choose from {ways}"
        ));
    };
    info!("my own work takes 1.5 s; then the way out is: {way}");
    let _guard = Guard("main's guard runs");
    // In place of std's hook, which says the same on stderr.
    panic::set_hook(Box::new(|panic| info!("the panic hook runs: {}", why(panic))));
    if let Err(why) = register_exit_handler().and_then(|()| start_ticker(way)) {
        return lesson_log::failure(format!("cannot start: {why}"));
    }

    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    match way {
        "panic" => panic!("main fails"),
        "exit" => process::exit(3),
        _ => ExitCode::SUCCESS,
    }
}

/// Has its say when it is dropped.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        info!("{}", self.0);
    }
}
// ANCHOR_END: main

/// What `panic!` was called with. `panic.location()` would say where.
fn why<'a>(panic: &'a PanicHookInfo) -> &'a str {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref().copied()).unwrap_or("for no reason")
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

/// A log line without `tracing`, whose thread-local values may be gone by now.
fn say(text: &str) {
    let at = START.get().map_or(Duration::ZERO, Instant::elapsed);
    // The same goes for std's: `thread::current()` may panic so late.
    let thread = if on_main() { "main" } else { "ticker" }.to_owned();
    let line = LogLine { at, thread, text: text.to_owned() };
    // Where nobody reads stdout there is nobody to tell; `println!` would panic.
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// On Linux the first thread has the number of the process.
#[expect(unsafe_code, reason = "std does not say the kernel's number of a thread")]
fn on_main() -> bool {
    // SAFETY: it takes nothing and changes nothing.
    i64::from(unsafe { libc::gettid() }) == i64::from(process::id())
}
// ANCHOR_END: handler

// ANCHOR: ticker
/// Ticks at 0 s, 1 s, 2 s and so on, and is never joined.
#[expect(clippy::exit, reason = "one of the ways out that this lesson compares")]
fn start_ticker(way: &'static str) -> io::Result<()> {
    let tick = move || {
        let _guard = Guard("the ticker's guard runs");
        let start = Instant::now();
        for tick in 1.. {
            info!("tick {tick}");
            match (tick, way) {
                (2, "worker-panic") => panic!("the ticker fails"),
                (2, "worker-exit") => process::exit(3),
                _ => {}
            }
            let next = start + tick * Duration::from_secs(1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    };
    let ticker = thread::Builder::new().name("ticker".to_owned());
    // Told as what it is: the error alone would be "Resource temporarily unavailable".
    let cannot = |why| io::Error::other(format!("the thread ticker: {why}"));
    ticker.spawn(tick).map(drop).map_err(cannot)
}
// ANCHOR_END: ticker
