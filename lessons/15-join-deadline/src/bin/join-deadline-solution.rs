//! Solution: one deadline for all mirrors, and each gets what is left until then.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use tracing::info;

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
    // ANCHOR: solution
    let waiting = Instant::now();
    let deadline = waiting + GRACE;
    let mut abandoned = 0;
    for mirror in &mirrors {
        let left = deadline.saturating_duration_since(Instant::now());
        if mirror.ends_within(left) {
            info!("{} has its copy", mirror.name);
        } else {
            info!("{} is abandoned", mirror.name);
            abandoned += 1;
        }
    }
    // ANCHOR_END: solution
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
