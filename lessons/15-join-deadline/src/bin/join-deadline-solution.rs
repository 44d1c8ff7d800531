//! Solution: one deadline for all mirrors, and only a copy that was made counts.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

/// What the job may be held after its own work.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    lesson_log::init();
    let words = env::args_os().skip(1);
    let work: Option<Vec<_>> =
        words.map(|word| Work::read(&word.to_string_lossy())).collect();
    let Some(work) = work.filter(|work| !work.is_empty()) else {
        return lesson_log::failure("say of each mirror: seconds, full or panic");
    };
    backup(work)
}

fn backup(work: Vec<Work>) -> ExitCode {
    let mirrors: Vec<_> = (1..).zip(work).map(Mirror::start).collect();
    info!("the backup is made; {} mirrors copy it", mirrors.len());
    // ANCHOR: solution
    let waiting = Instant::now();
    let deadline = waiting + GRACE;
    let mut copies = 0;
    for Mirror { name, answer } in &mirrors {
        let left = deadline.saturating_duration_since(Instant::now());
        match answer.recv_timeout(left) {
            Ok(Ok(())) => {
                info!("{name} has its copy");
                copies += 1;
            }
            Ok(Err(why)) => info!("{name} has no copy: {why}"),
            Err(RecvTimeoutError::Disconnected) => info!("{name} has panicked"),
            Err(RecvTimeoutError::Timeout) => info!("{name} is abandoned"),
        }
    }
    // ANCHOR_END: solution
    info!("the mirrors held the job {:.1} s", waiting.elapsed().as_secs_f64());
    if copies == mirrors.len() { ExitCode::SUCCESS } else { ExitCode::from(75) }
}

/// A mirror, and where its thread says whether it has made its copy.
struct Mirror {
    name: String,
    answer: Receiver<Result<(), String>>,
}

impl Mirror {
    fn start((number, work): (u32, Work)) -> Self {
        let name = format!("mirror-{number}");
        let (tx, answer) = mpsc::channel();
        let refused = tx.clone();
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            // Nobody receives it if the mirror is abandoned.
            let _ = tx.send(work.make_copy());
        });
        if let Err(error) = thread {
            // `answer` is there, so this arrives.
            let _ =
                refused.send(Err(format!("its thread does not start: {error}")));
        }
        Self { name, answer }
    }
}

enum Work {
    Takes(Duration),
    Full,
    Panic,
}

impl Work {
    fn read(word: &str) -> Option<Self> {
        match word {
            "full" => Some(Self::Full),
            "panic" => Some(Self::Panic),
            _ => {
                let seconds = Duration::try_from_secs_f64(word.parse().ok()?);
                seconds.ok().map(Self::Takes)
            }
        }
    }

    fn make_copy(self) -> Result<(), String> {
        match self {
            Self::Takes(time) => thread::sleep(time),
            Self::Full => return Err("its disk is full".to_owned()),
            Self::Panic => panic!("the copy has no checksum"),
        }
        Ok(())
    }
}
