//! Solution: a guard that waits. Waiting closes the pipe, and so the converter ends.

use std::fs::File;
use std::io::{self, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, thread};

use tracing::info;

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

// ANCHOR: solution
/// A price that is no number ends the import. Those before it are to be in the file.
fn import(prices: impl Iterator<Item = String>) -> io::Result<()> {
    let mut converter = Converter(start_converter()?.spawn()?);
    info!("the import begins");
    for price in prices {
        let price: u32 = price
            .parse()
            .map_err(|_| io::Error::other(format!("not a price: {price}")))?;
        converter.hand_over(price)?;
    }
    info!("every price is handed over");
    converter.finish()
}

struct Converter(Child);

impl Converter {
    fn hand_over(&mut self, price: u32) -> io::Result<()> {
        // The pipe stays the child's: `wait` can close it.
        let pipe = self.0.stdin.as_mut();
        let pipe = pipe.ok_or(io::Error::other("the converter has no pipe"))?;
        pipe.write_all(format!("{price}\n").as_bytes())
    }

    fn finish(mut self) -> io::Result<()> {
        let status = self.0.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the converter failed: {status}")))
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // Not `kill`: it would take the prices in the pipe along.
        if let Err(error) = self.0.wait() {
            eprintln!("the converter cannot be waited for: {error}");
        }
    }
}
// ANCHOR_END: solution

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
