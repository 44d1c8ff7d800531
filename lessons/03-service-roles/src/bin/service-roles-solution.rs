//! Solution: only the refunds are waited for, on every way out, and their result is looked at.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

fn main() -> ExitCode {
    lesson_log::init();
    let mut arguments = env::args_os().skip(1);
    let count = number(arguments.next());
    let refunds = arguments.next().map_or("refunds.txt".into(), PathBuf::from);
    let doors = arguments.next().map_or("doors.txt".into(), PathBuf::from);
    let (Some(count), Some(memory)) = (count, number(arguments.next())) else {
        return lesson_log::failure(
            "the first argument is the number of refunds, at most 255; \
             the fourth is the MiB of memory for previews and display",
        );
    };
    match close_the_office(count, refunds, &doors, memory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: solution
fn close_the_office(
    count: u8,
    refunds: PathBuf,
    doors: &Path,
    memory: usize,
) -> Result<(), String> {
    info!("the office closes; {count} refunds are due");
    // Joined: a refund that is not paid is somebody's money. So it comes first, and no `?` from
    // here to the join: neither a picture nor a door is to cost it.
    let refunds = spawn("refunds", 2, move || pay_refunds(count, &refunds))?;
    // Abandoned: a picture that is missing tomorrow is drawn then.
    let previews = spawn("previews", memory, draw_previews);
    // Abandoned: has no end, and its next word would be the same.
    let display = spawn("display", memory, update_display);

    let locked = lock_the_doors(doors)
        .map_err(|error| format!("cannot lock the doors: {error}"));
    // Whatever went wrong is told, each on a line of its own.
    let wrong = [previews.err(), display.err(), locked.err()];
    let mut wrong: Vec<String> = wrong.into_iter().flatten().collect();
    match refunds.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            wrong.push(format!("cannot write down a refund: {error}"))
        }
        Err(payload) => {
            // The panic leaves this function, so the rest is told before it goes on.
            for why in wrong {
                lesson_log::failure(why);
            }
            panic::resume_unwind(payload)
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
// ANCHOR_END: solution

/// Pays money back; a refund is in the file as soon as the bank has taken it, which takes eight a day.
fn pay_refunds(count: u8, path: &Path) -> io::Result<()> {
    let mut paid = File::create(path)?;
    let start = Instant::now();
    for refund in 1..=count {
        sleep_until(start + u32::from(refund) * Duration::from_millis(750));
        assert!(refund <= 8, "the bank does not take refund {refund}");
        paid.write_all(format!("refund {refund}\n").as_bytes())?;
        info!("refund {refund} is paid");
    }
    Ok(())
}

/// Keeps three pictures in memory. Whoever finds none there draws it then.
fn draw_previews() {
    let start = Instant::now();
    for seat in 1..=3 {
        sleep_until(start + seat * Duration::from_millis(1600));
        info!("seat {seat} is drawn");
    }
}

/// Says the same word again and again; the display forgets it otherwise.
fn update_display() {
    let start = Instant::now();
    for turn in 0.. {
        sleep_until(start + turn * Duration::from_millis(1500));
        info!("closing");
    }
}

/// The work of `main`: waits for the last guest, then tells the lock, which is a file here.
fn lock_the_doors(path: &Path) -> io::Result<()> {
    thread::sleep(Duration::from_millis(300));
    info!("the last guest has left");
    File::create(path)?.write_all(b"locked\n")?;
    info!("the doors are locked");
    Ok(())
}

/// `memory` is what its stack takes, in MiB.
fn spawn<T: Send + 'static>(
    name: &str,
    memory: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let builder = thread::Builder::new().name(name.to_owned());
    let thread = builder.stack_size(memory.saturating_mul(1 << 20)).spawn(work);
    thread.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// The number that an argument is, and 2 where there is none.
fn number<T: FromStr + From<u8>>(argument: Option<OsString>) -> Option<T> {
    argument.map_or(Some(2.into()), |argument| argument.to_str()?.parse().ok())
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
