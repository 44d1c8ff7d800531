//! An exit handler that a background thread registers for its own cleaning up.

use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use lesson_log::LogLine;
use tracing::info;

static START: OnceLock<Instant> = OnceLock::new();

fn main() -> ExitCode {
    START.get_or_init(Instant::now);
    lesson_log::init();
    info!("my own work takes 1.5 s");
    let ticker = thread::Builder::new().name("ticker".to_owned());
    if let Err(why) = ticker.spawn(tick) {
        return lesson_log::failure(format!(
            "cannot start the thread ticker: {why}"
        ));
    }

    thread::sleep(Duration::from_millis(1500));
    info!("my own work is done");
    ExitCode::SUCCESS
}

/// Ticks at 0 s, 1 s, 2 s and so on, and is never joined.
fn tick() -> io::Result<()> {
    // The change: the thread itself registers the handler.
    register_exit_handler()?;
    info!("I have registered an exit handler");
    let start = Instant::now();
    for tick in 1.. {
        info!("tick {tick}");
        let next = start + tick * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

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
