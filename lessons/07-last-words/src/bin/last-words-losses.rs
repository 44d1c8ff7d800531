//! How often lines are lost when nobody waits for the writer: runs itself many times.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::{self, Command};
use std::{env, mem};

use tracing_appender::non_blocking;

const FILE: &str = "losses.log";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    match args.next().as_deref() {
        Some("run") => log_and_leave(args.next().as_deref()),
        None => count_losses(100),
        Some(runs) => count_losses(runs.parse()?),
    }
}

/// A run: logs ten thousand lines to a file on the real disk and leaves.
#[expect(clippy::exit, clippy::mem_forget, reason = "these two lose lines")]
fn log_and_leave(way: Option<&str>) -> Result<(), Box<dyn Error>> {
    let (mut log, guard) = non_blocking(BufWriter::new(File::create(FILE)?));
    for number in 1..=10_000 {
        log.write_all(format!("line {number:05}\n").as_bytes())?;
    }
    match way {
        Some("forgotten") => mem::forget(guard),
        Some("exit") => process::exit(0),
        _ => drop(guard),
    }
    Ok(())
}

fn count_losses(runs: u32) -> Result<(), Box<dyn Error>> {
    for (way, words) in [
        ("kept", "guard kept"),
        ("forgotten", "guard forgotten"),
        ("exit", "process::exit"),
    ] {
        let mut losing = 0;
        for _ in 0..runs {
            Command::new(env::current_exe()?).args(["run", way]).status()?;
            let written =
                fs::read(FILE)?.iter().filter(|byte| **byte == b'\n').count();
            losing += u32::from(written < 10_000);
        }
        println!("{words}: lines lost in {losing} of {runs} runs");
    }
    fs::remove_file(FILE)?;
    Ok(())
}
