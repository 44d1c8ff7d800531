//! Counts how often the end of the process leaves half a record behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;
use std::{env, thread};

const PATH: &str = "output.txt";
const RUNS: usize = 200;

fn main() -> io::Result<()> {
    if let Some(way) = env::args().nth(1) {
        return be_cut_off(way == "writeln!");
    }
    for way in ["writeln!", "write_all"] {
        let mut torn = 0;
        for _ in 0..RUNS {
            Command::new(env::current_exe()?).arg(way).status()?;
            if fs::read(PATH)?.last().is_some_and(|byte| *byte != b'\n') {
                torn += 1;
            }
        }
        println!("{way}: the last record is torn in {torn} of {RUNS} runs");
    }
    Ok(())
}

// ANCHOR: ways
/// Writes records as fast as it can, until `main` returns.
fn be_cut_off(formats_into_the_file: bool) -> io::Result<()> {
    let mut output = File::create(PATH)?;
    thread::Builder::new().name("writer".to_owned()).spawn(move || {
        for page in 1.. {
            if formats_into_the_file {
                writeln!(output, "record {page:03}: text of page {page:03}")?;
            } else {
                let record = format!("record {page:03}: text of page {page:03}\n");
                output.write_all(record.as_bytes())?;
            }
        }
        Ok::<(), io::Error>(())
    })?;
    thread::sleep(Duration::from_millis(10));
    Ok(())
}
// ANCHOR_END: ways
