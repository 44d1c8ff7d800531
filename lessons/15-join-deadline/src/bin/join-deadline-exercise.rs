//! Exercise: a job copies its backup to several mirrors and waits 2 s for them.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p join-deadline --bin join-deadline-exercise -- 1.2 9 0.7 8
//! Check it:    cargo test join-deadline
//!              (this file alone: cargo test exercise::join-deadline)
//! Start over:  git restore lessons/15-join-deadline/src/bin/join-deadline-exercise.rs

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

/// What the job may be held after its own work.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let mut mirrors = Vec::new();
    for (number, seconds) in (1..).zip(env::args().skip(1)) {
        match seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok())
        {
            Some(takes) => mirrors.push(Mirror::start(number, takes)?),
            None => {
                eprintln!("not a number of seconds: {seconds}");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    if mirrors.is_empty() {
        eprintln!("say how many seconds each mirror needs");
        return Ok(ExitCode::FAILURE);
    }
    info!("the backup is made; {} mirrors copy it", mirrors.len());
    let waiting = Instant::now();
    let mut abandoned = 0;
    for mirror in &mirrors {
        if mirror.ends_within(GRACE) {
            info!("{} has its copy", mirror.name);
        } else {
            info!("{} is abandoned", mirror.name);
            abandoned += 1;
        }
    }
    info!("the mirrors held the job {:.1} s", waiting.elapsed().as_secs_f64());
    Ok(if abandoned == 0 { ExitCode::SUCCESS } else { ExitCode::from(75) })
}

/// A mirror, and a channel that closes when its thread ends.
struct Mirror {
    name: String,
    ended: Receiver<Infallible>,
}

impl Mirror {
    fn start(number: u32, takes: Duration) -> io::Result<Self> {
        let name = format!("mirror-{number}");
        let (done, ended) = mpsc::channel();
        thread::Builder::new().name(name.clone()).spawn(move || {
            let _done = done;
            thread::sleep(takes);
        })?;
        Ok(Self { name, ended })
    }

    /// Waits for the end of the thread, but no longer than `time`.
    fn ends_within(&self, time: Duration) -> bool {
        self.ended.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
    }
}
