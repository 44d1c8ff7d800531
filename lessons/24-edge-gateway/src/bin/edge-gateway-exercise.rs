//! Exercise: a till keeps its sales in a log, and dies in the middle of a line.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p edge-gateway --bin edge-gateway-exercise -- 70
//!              once more without the 70, and with `damage`; then `rm till.log`
//! Check it:    cargo test edge-gateway
//!              (this file alone: cargo test exercise::edge-gateway)
//! Start over:  git restore lessons/24-edge-gateway/src/bin/edge-gateway-exercise.rs

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::{self, Command, ExitCode};
use std::{env, result};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

type Result<T> = result::Result<T, Box<dyn Error>>;

const SALES: usize = 12;

fn main() -> ExitCode {
    lesson_log::init();
    run(env::args().nth(1).as_deref()).map_or_else(
        |error| {
            eprintln!("the till does not sell: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// The argument says after how many bytes the till loses its power.
fn run(argument: Option<&str>) -> Result<()> {
    match argument {
        Some("restart") => restart(),
        Some("damage") => {
            damage()?;
            sell(usize::MAX)
        }
        Some(bytes) => {
            sell(bytes.parse().map_err(|_| format!("`{bytes}` is no number"))?)
        }
        None => sell(usize::MAX),
    }
}

/// Starts a till that dies after 20 bytes, then one that dies after 21, and so on
/// until one lives.
fn restart() -> Result<()> {
    for bytes in 20..=40 {
        let mut again = Command::new(env::current_exe()?);
        if again.arg(bytes.to_string()).status()?.success() {
            return Ok(());
        }
    }
    Err("21 tills have died, and the day is not over".into())
}

/// Turns over one bit of the third sale, as a worn-out memory card does.
fn damage() -> Result<()> {
    let text = fs::read_to_string("till.log")?;
    fs::write("till.log", text.replacen("105 cents", "104 cents", 1))?;
    Ok(())
}

fn sell(power: usize) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open("till.log")?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let kept = text.lines().take_while(|line| is_right(line)).count();

    let mut paper = Paper { file, power };
    for sale in kept + 1..=SALES {
        paper.write_all(line(sale).as_bytes())?;
        paper.flush()?;
        info!("sale {sale} is acknowledged");
    }
    info!("{SALES} sales are in till.log");
    Ok(())
}

/// A line begins with the checksum of its text.
fn line(sale: usize) -> String {
    let text = format!("sale {sale}: {} cents", sale * 35);
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()))
}

fn is_right(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(sum, text)| {
        sum == format!("{:08x}", crc32fast::hash(text.as_bytes()))
    })
}

/// The log as long as there is power; nothing is written after that.
struct Paper {
    file: File,
    power: usize,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.power == 0 {
            process::abort();
        }
        let count = self.file.write(&bytes[..bytes.len().min(self.power)])?;
        self.power -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
