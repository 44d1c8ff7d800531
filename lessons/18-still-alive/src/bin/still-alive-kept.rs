//! Measures threads that have ended and whose handles are kept: no list of threads has them.

#[path = "../kernel.rs"]
mod kernel;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::{self, Builder};
use std::time::Duration;

fn main() -> ExitCode {
    let said = run().and_then(|report| {
        io::stdout().write_all(report.as_bytes()).map_err(Box::from)
    });
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: run
fn run() -> Result<String, Box<dyn Error>> {
    let before = Sizes::read()?;
    let mut handles = Vec::new();
    for number in 1..=200 {
        let name = format!("client-{number}");
        handles.push(Builder::new().name(name).spawn(|| {})?);
        // One at a time, as clients come.
        thread::sleep(Duration::from_millis(2));
    }
    thread::sleep(Duration::from_millis(500));
    let threads = kernel::names()?.len();
    let kept = Sizes::read()?;
    drop(handles);
    let dropped = Sizes::read()?;
    Ok(format!(
        "threads: {threads}\n\
         VmSize has grown by {} MiB\n\
         VmRSS has grown by {} MiB\n\
         without the handles VmSize has grown by {} MiB\n",
        kept.virtual_mib.saturating_sub(before.virtual_mib),
        kept.resident_mib.saturating_sub(before.resident_mib),
        dropped.virtual_mib.saturating_sub(before.virtual_mib),
    ))
}
// ANCHOR_END: run

struct Sizes {
    virtual_mib: u64,
    resident_mib: u64,
}

impl Sizes {
    fn read() -> Result<Self, Box<dyn Error>> {
        let status = fs::read_to_string("/proc/self/status")?;
        let mib = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1));
            let kib: Option<u64> = kib.and_then(|kib| kib.parse().ok());
            kib.map(|kib| kib / 1024).ok_or_else(|| format!("no {name} is said"))
        };
        Ok(Self { virtual_mib: mib("VmSize:")?, resident_mib: mib("VmRSS:")? })
    }
}
