//! Solution: after the last sample, the batch that is under way is waited for, too.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, mem, panic};

use tracing::info;

const BATCH: usize = 4;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args_os().skip(1);
    let count = args.next().unwrap_or_else(|| "8".into());
    let path = args.next().unwrap_or_else(|| "metrics.txt".into());
    let Some(samples) = count.to_str().and_then(|count| count.parse::<u16>().ok())
    else {
        let count = count.display();
        let why =
            format!("the number of samples is not a number up to 65535: {count}");
        return lesson_log::failure(why);
    };
    match collect(samples.into(), path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot export the samples: {why}"))
        }
    }
}

/// Collects samples; a full batch is exported while the next one is collected.
fn collect(count: u32, path: &Path) -> io::Result<()> {
    let file = create_alone(path)?;
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
        .map_err(|why| io::Error::other(format!("the thread export: {why}")))
}

/// Takes half a second for a sample, or the milliseconds of the third argument.
fn export(batch: Vec<String>, mut file: File) -> io::Result<()> {
    let start = Instant::now();
    let millis = env::args_os().nth(3).and_then(|text| text.to_str()?.parse().ok());
    let a_sample = Duration::from_millis(millis.unwrap_or(500));
    for (sample, count) in batch.iter().zip(1..) {
        sleep_until(start + count * a_sample);
        file.write_all(sample.as_bytes())?;
        info!("{} is exported", sample.trim_end());
    }
    Ok(())
}

/// Starts the file anew, for this run alone: two runs would mix their samples.
fn create_alone(path: &Path) -> io::Result<File> {
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.is_file() {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another run is writing to it"));
        }
        file.set_len(0)?;
    }
    Ok(file)
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// What a joined thread returned; if it panicked, the panic goes on here.
fn result_of(joined: thread::Result<io::Result<()>>) -> io::Result<()> {
    match joined {
        Ok(result) => result,
        Err(payload) => panic::resume_unwind(payload),
    }
}
