//! Exercise: a payroll meets a bad row and gives up.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p ways-to-exit --bin ways-to-exit-exercise -- 3
//! Check it:    cargo test ways-to-exit
//!              (this file alone: cargo test exercise::ways-to-exit)
//! Start over:  git restore lessons/05-ways-to-exit/src/bin/ways-to-exit-exercise.rs

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

use tracing::info;

// YOUR TURN: delete this line when you begin; `cargo test` then judges this file.

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args_os().skip(1);
    let bad_row = arguments.next().unwrap_or_else(|| "3".into());
    let bank = arguments.next().unwrap_or_else(|| "transfers.txt".into());
    let slips = arguments.next().unwrap_or_else(|| "payslips.txt".into());
    match pay(bad_row, &PathBuf::from(bank), PathBuf::from(slips)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("the payroll is not complete: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Writes the payslips in a thread of its own while the taxes are transferred.
fn pay(bad_row: OsString, bank: &Path, slips: PathBuf) -> io::Result<()> {
    let _lock = Lock::take()?;
    info!("the payroll starts; row {} has no bank account", bad_row.display());
    let payslips = thread::Builder::new()
        .name("payslips".to_owned())
        .spawn(move || write_payslips(&bad_row, &slips))
        .map_err(|error| failed("cannot start the thread payslips", &error))?;

    let transferred = transfer_taxes(bank);
    let written = match payslips.join() {
        Ok(written) => written,
        Err(payload) => panic::resume_unwind(payload),
    };
    both(written, transferred)
}

fn write_payslips(bad_row: &OsStr, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let written = write_rows(&mut file, bad_row);
    // An error that comes up while the buffer is dropped is heard by nobody.
    let flushed = file.flush();
    let flushed =
        flushed.map_err(|error| failed("cannot write the payslips", &error));
    info!("the payslips are done");
    both(written, flushed)
}

/// Six payslips, 0.4 s each.
fn write_rows(file: &mut impl Write, bad_row: &OsStr) -> io::Result<()> {
    let start = Instant::now();
    for row in 1..=6 {
        sleep_until(start + row * Duration::from_millis(400));
        writeln!(file, "{}", payslip(row, bad_row))?;
    }
    Ok(())
}

#[expect(clippy::exit, reason = "without this row the job cannot go on")]
fn payslip(row: u32, bad_row: &OsStr) -> String {
    if *bad_row == *row.to_string() {
        complain(&format!("row {row} has no bank account"));
        process::exit(2);
    }
    format!("payslip {row}")
}

/// Three transfers, a second each. Once begun, all of them have to be made.
fn transfer_taxes(bank: &Path) -> io::Result<()> {
    let start = Instant::now();
    let mut transfers = File::create(bank)?;
    for transfer in 1..=3 {
        sleep_until(start + transfer * Duration::from_secs(1));
        transfers
            .write_all(format!("transfer {transfer}\n").as_bytes())
            .map_err(|error| failed("cannot transfer the taxes", &error))?;
        info!("transfer {transfer} of 3 is made");
    }
    Ok(())
}

/// While its file is there, no other payroll starts.
struct Lock;

impl Lock {
    fn take() -> io::Result<Self> {
        File::create_new("payroll.lock")
            .map_err(|error| failed("cannot make payroll.lock", &error))?;
        Ok(Self)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        match fs::remove_file("payroll.lock") {
            Ok(()) => info!("payroll.lock is removed"),
            Err(error) => {
                complain(&format!(
                    "payroll.lock has to be removed by hand: {error}"
                ));
            }
        }
    }
}

/// The error, or both of them.
fn both(one: io::Result<()>, other: io::Result<()>) -> io::Result<()> {
    match (one, other) {
        (Err(one), Err(other)) => Err(io::Error::other(format!("{one}; {other}"))),
        (one, other) => one.and(other),
    }
}

/// Unlike `eprintln!` it does not panic if nobody can read it.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn failed(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
