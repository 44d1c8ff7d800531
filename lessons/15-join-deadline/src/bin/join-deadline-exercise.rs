//! Exercise: a job copies its backup to several mirrors and waits 2 s for them.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p join-deadline --bin join-deadline-exercise -- 1.2 9 full 0.7 panic 8
//! Check it:    cargo test join-deadline
//!              (this file alone: cargo test exercise::join-deadline)
//! Start over:  git restore lessons/15-join-deadline/src/bin/join-deadline-exercise.rs

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

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
    let waiting = Instant::now();
    let mut code = ExitCode::SUCCESS;
    for Mirror { name, answer } in &mirrors {
        match answer.recv_timeout(GRACE) {
            Err(RecvTimeoutError::Timeout) => {
                info!("{name} is abandoned");
                code = ExitCode::from(75);
            }
            _ => info!("{name} has its copy"),
        }
    }
    info!("the mirrors held the job {:.1} s", waiting.elapsed().as_secs_f64());
    code
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
