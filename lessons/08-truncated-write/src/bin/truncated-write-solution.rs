//! Solution: after the last sample, the batch that is under way is waited for, too.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, mem, panic};

use tracing::info;

const BATCH: usize = 4;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args().skip(1);
    let count = args.next().unwrap_or_else(|| "5".to_owned());
    let path = args.next().unwrap_or_else(|| "metrics.txt".to_owned());
    let Ok(count) = count.parse() else {
        eprintln!("the number of samples is not a number: {count}");
        return ExitCode::FAILURE;
    };
    match collect(count, &path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot export the samples: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Collects samples; a full batch is exported while the next one is collected.
fn collect(count: u32, path: &str) -> io::Result<()> {
    let file = File::create(path)?;
    info!("collecting {count} samples");
    let start = Instant::now();
    let mut under_way: Option<JoinHandle<io::Result<()>>> = None;
    let mut batch = Vec::new();
    for sample in 1..=count {
        sleep_until(start + sample * Duration::from_millis(100));
        batch.push(format!("sample {sample}\n"));
        if batch.len() == BATCH || sample == count {
            info!("sample {sample} ends a batch");
            // One export at a time: the one before has to be complete.
            if let Some(before) = under_way.take() {
                result_of(before.join())?;
            }
            let (batch, file) = (mem::take(&mut batch), file.try_clone()?);
            under_way = Some(spawn_export(batch, file)?);
        }
    }
    // ANCHOR: solution
    // In the loop, each export is waited for by the next. The last one has no next.
    if let Some(last) = under_way {
        result_of(last.join())?;
    }
    // ANCHOR_END: solution
    info!("all batches are exported");
    Ok(())
}

fn spawn_export(
    batch: Vec<String>,
    file: File,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || export(batch, file))
}

/// Takes half a second for a sample.
fn export(batch: Vec<String>, mut file: File) -> io::Result<()> {
    let start = Instant::now();
    for (sample, count) in batch.iter().zip(1..) {
        sleep_until(start + count * Duration::from_millis(500));
        file.write_all(sample.as_bytes())?;
        info!("{} is exported", sample.trim_end());
    }
    Ok(())
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// What a joined thread returned; if it panicked, the panic goes on here.
fn result_of(joined: thread::Result<io::Result<()>>) -> io::Result<()> {
    joined.unwrap_or_else(|panic| panic::resume_unwind(panic))
}
