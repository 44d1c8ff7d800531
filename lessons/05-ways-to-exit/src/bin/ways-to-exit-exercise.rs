//! Exercise: a payroll meets a bad row and gives up.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p ways-to-exit --bin ways-to-exit-exercise -- 3
//! Check it:    cargo test ways-to-exit
//!              (this file alone: cargo test exercise::ways-to-exit)
//! Start over:  git restore lessons/05-ways-to-exit/src/bin/ways-to-exit-exercise.rs

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let bad_row = env::args().nth(1).unwrap_or_else(|| "3".to_owned());
    match pay(bad_row) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the payroll is not complete: {error}");
            ExitCode::from(2)
        }
    }
}

/// Writes the payslips in a thread of its own while the taxes are transferred.
fn pay(bad_row: String) -> io::Result<()> {
    let _lock = Lock::take()?;
    info!("the payroll starts; row {bad_row} has no bank account");
    let payslips = thread::Builder::new()
        .name("payslips".to_owned())
        .spawn(move || write_payslips(&bad_row))?;

    let transferred = transfer_taxes();
    payslips.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    transferred
}

/// Six payslips, a quarter of a second each.
fn write_payslips(bad_row: &str) -> io::Result<()> {
    let start = Instant::now();
    let mut file = BufWriter::new(File::create("payslips.txt")?);
    for row in 1..=6 {
        sleep_until(start + row * Duration::from_millis(250));
        writeln!(file, "{}", payslip(row, bad_row))?;
    }
    file.flush()
}

#[expect(clippy::exit, reason = "without this row the job cannot go on")]
fn payslip(row: u32, bad_row: &str) -> String {
    if row.to_string() == bad_row {
        eprintln!("row {row} has no bank account");
        process::exit(2);
    }
    format!("payslip {row}")
}

/// Three transfers, a second each. Once begun, all of them have to be made.
fn transfer_taxes() -> io::Result<()> {
    let start = Instant::now();
    let mut transfers = File::create("transfers.txt")?;
    for transfer in 1..=3 {
        sleep_until(start + transfer * Duration::from_secs(1));
        transfers.write_all(format!("transfer {transfer}\n").as_bytes())?;
        info!("transfer {transfer} of 3 is made");
    }
    Ok(())
}

/// While its file is there, no other payroll starts.
struct Lock;

impl Lock {
    fn take() -> io::Result<Self> {
        let taken = File::create_new("payroll.lock");
        taken.map_err(|_| io::Error::other("payroll.lock is there already"))?;
        Ok(Self)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file("payroll.lock") {
            eprintln!("payroll.lock has to be removed by hand: {error}");
        }
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
