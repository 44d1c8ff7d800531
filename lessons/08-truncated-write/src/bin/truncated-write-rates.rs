//! Counts how often the end of the process leaves half a record behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, thread};

const PATH: &str = "output.txt";
const RUNS: usize = 200;

fn main() -> ExitCode {
    let result = match env::args_os().nth(1) {
        Some(way) => be_cut_off(way == "writeln!"),
        None => ["writeln!", "write_all"].into_iter().try_for_each(count_torn),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn count_torn(way: &str) -> io::Result<()> {
    let mut torn = 0;
    for _ in 0..RUNS {
        if !Command::new(env::current_exe()?).arg(way).status()?.success() {
            return Err(io::Error::other("a run of mine has failed"));
        }
        if fs::read(PATH)?.last().is_some_and(|byte| *byte != b'\n') {
            torn += 1;
        }
    }
    writeln!(
        io::stdout(),
        "{way}: the last record is torn in {torn} of {RUNS} runs"
    )
}

// ANCHOR: ways
/// Writes records as fast as it can, until `main` returns.
fn be_cut_off(formats_into_the_file: bool) -> io::Result<()> {
    let mut output = File::create(PATH)?;
    let writer =
        thread::Builder::new().name("writer".to_owned()).spawn(move || {
            for page in 1.. {
                if formats_into_the_file {
                    writeln!(output, "record {page:03}: text of page {page:03}")?;
                } else {
                    let record =
                        format!("record {page:03}: text of page {page:03}\n");
                    output.write_all(record.as_bytes())?;
                }
            }
            Ok::<(), io::Error>(())
        });
    writer.map_err(|why| io::Error::other(format!("the thread writer: {why}")))?;
    thread::sleep(Duration::from_millis(10));
    Ok(())
}
// ANCHOR_END: ways
