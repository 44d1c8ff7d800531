//! Exercise: an import hands its prices to a child process, which writes them to a file.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p orphan-process --bin orphan-process-exercise -- 5 12 7
//! Check it:    cargo test orphan-process
//!              (this file alone: cargo test exercise::orphan-process)
//! Start over:  git restore lessons/23-orphan-process/src/bin/orphan-process-exercise.rs

use std::fs::File;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args().skip(1).peekable();
    let result = match arguments.next_if(|first| first == "--converter") {
        Some(_) => convert(),
        None => import(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A price that is no number ends the import. Those before it are to be in the file.
fn import(prices: impl Iterator<Item = String>) -> io::Result<()> {
    let mut converter = start_converter()?.spawn()?;
    let mut to_converter = converter
        .stdin
        .take()
        .ok_or(io::Error::other("the converter has no pipe"))?;
    info!("the import begins");
    for price in prices {
        let price: u32 = price
            .parse()
            .map_err(|_| io::Error::other(format!("not a price: {price}")))?;
        to_converter.write_all(format!("{price}\n").as_bytes())?;
    }
    info!("every price is handed over");
    Ok(())
}

/// The converter is this program again. It reads prices from a pipe until that is closed.
fn start_converter() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--converter").stdin(Stdio::piped()).stdout(Stdio::null());
    Ok(command)
}

/// The child process. A price takes it 0.1 s for each euro.
fn convert() -> io::Result<()> {
    let mut file = File::create("prices.txt").map_err(|error| {
        io::Error::other(format!("cannot write prices.txt: {error}"))
    })?;
    for price in io::stdin().lines() {
        let euros: u32 = price?.parse().map_err(io::Error::other)?;
        thread::sleep(euros * Duration::from_millis(100));
        file.write_all(format!("{euros} EUR\n").as_bytes())?;
    }
    Ok(())
}
