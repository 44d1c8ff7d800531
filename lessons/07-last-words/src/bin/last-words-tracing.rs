//! An exit handler that logs through `tracing`, as any other function would.

use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::{env, panic, thread};

use tracing::info;

/// Who logs, and who ends the process if it is not `main`.
const WAYS: [&str; 4] = ["main", "worker", "nobody", "worker-exits"];

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_else(|| "main".into());
    let Some(way) = WAYS.into_iter().find(|known| way == *known) else {
        let (way, ways) = (way.display(), WAYS.join(", "));
        return lesson_log::failure(format!(
            "unknown way `{way}`; choose from {ways}"
        ));
    };
    // The default hook prints a backtrace as well where a panic cannot unwind.
    panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "{panic}");
    }));
    match register_exit_handler().and_then(|()| run(way)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format!("cannot start: {why}")),
    }
}

// ANCHOR: run
#[expect(clippy::exit, reason = "one of the cases that this program compares")]
fn run(way: &'static str) -> io::Result<()> {
    if way == "main" || way == "worker-exits" {
        info!("my own work is done");
    }
    let work = move || match way {
        "worker" => info!("my own work is done"),
        "worker-exits" => process::exit(3),
        _ => {}
    };
    let worker = thread::Builder::new().name("worker".to_owned());
    let cannot = |why| io::Error::other(format!("the thread worker: {why}"));
    match worker.spawn(work).map_err(cannot)?.join() {
        Ok(()) => Ok(()),
        Err(payload) => panic::resume_unwind(payload),
    }
}

extern "C" fn exit_handler() {
    // The change: `tracing` formats in a thread-local buffer, which may be gone by now.
    info!("the exit handler runs");
}
// ANCHOR_END: run

#[expect(unsafe_code, reason = "std has no exit handlers, only C has")]
fn register_exit_handler() -> io::Result<()> {
    // SAFETY: it may run at any time, beside all other threads: what it uses is
    // synchronised. A panic in it cannot unwind into C: it would abort.
    match unsafe { libc::atexit(exit_handler) } {
        0 => Ok(()),
        _ => Err(io::Error::other("no room for an exit handler")),
    }
}
