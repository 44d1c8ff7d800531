//! A helper that holds the lock of stdout, and a destructor of `main` that prints.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let to_stderr = env::args_os().nth(1).is_some_and(|way| way == "stderr");
    match run(Farewell { to_stderr }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(format_args!(
            "cannot start the thread spinner: {why}"
        )),
    }
}

// ANCHOR: run
fn run(_farewell: Farewell) -> io::Result<()> {
    info!("my own work is done; saving takes 1.25 s");
    thread::Builder::new().name("spinner".to_owned()).spawn(spin)?;
    thread::sleep(Duration::from_millis(1250));
    // Here `_farewell` is dropped.
    Ok(())
}

/// Keeps the lock of stdout until it is cut off: nobody is to write between its lines.
fn spin() {
    let start = Instant::now();
    let _lock = io::stdout().lock();
    for step in 1.. {
        info!("saving");
        let next = start + step * Duration::from_millis(500);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
// ANCHOR_END: run

// ANCHOR: drop
struct Farewell {
    to_stderr: bool,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = match self.to_stderr {
            true => writeln!(io::stderr(), "saved"),
            // Waits for the lock of stdout. `println!` takes it as well.
            false => writeln!(io::stdout(), "saved"),
        };
    }
}
// ANCHOR_END: drop
