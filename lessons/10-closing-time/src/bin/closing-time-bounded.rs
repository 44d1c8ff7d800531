//! A rush before closing time: how much is left to write then, the channel's bound says.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, panic};

use tracing::info;

const OPEN: Duration = Duration::from_millis(850);
/// Above this, a channel with a bound is one without.
const LARGEST: usize = 1_000_000;

type SendSale = Box<dyn Fn(u32) -> Result<(), SendError<u32>> + Send>;

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args_os().skip(1);
    let bound = args.next().unwrap_or_else(|| "2".into());
    let bound = bound.to_string_lossy();
    let (send, sales) = match (&*bound, bound.parse()) {
        ("none", _) => unbounded(),
        (_, Ok(bound @ 0..=LARGEST)) => bounded(bound),
        _ => {
            let expected = format!("a number up to {LARGEST} or none");
            return lesson_log::failure(format!(
                "the bound is {expected}, not {bound}"
            ));
        }
    };
    let (room, till) = match args.next() {
        None => (u32::MAX, u32::MAX),
        Some(word) if word == "disk-full" => (1, u32::MAX),
        Some(word) if word == "till-breaks" => (u32::MAX, 4),
        Some(_) => {
            let words = "disk-full or till-breaks";
            return lesson_log::failure(format!("the second argument is {words}"));
        }
    };
    match trade(send, sales, room, till) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: channels
fn unbounded() -> (SendSale, Receiver<u32>) {
    let (sender, sales) = mpsc::channel();
    (Box::new(move |sale| sender.send(sale)), sales)
}

fn bounded(bound: usize) -> (SendSale, Receiver<u32>) {
    let (sender, sales) = mpsc::sync_channel(bound);
    // The change: in a full channel, `send` waits until the ledger takes a sale.
    (Box::new(move |sale| sender.send(sale)), sales)
}
// ANCHOR_END: channels

fn trade(
    send: SendSale,
    sales: Receiver<u32>,
    room: u32,
    sound: u32,
) -> Result<(), String> {
    info!("the shop is open for 0.85 s");
    let opening = Instant::now();
    let till = spawn("till", move || serve_the_line(send, opening, sound))?;
    let ledger = spawn("ledger", move || write_slowly(sales, opening, room))?;

    thread::sleep(OPEN.saturating_sub(opening.elapsed()));
    info!("closing time");
    // A panic goes on when both have ended: it would end the process under the other.
    let (taken, written) = (till.join(), ledger.join());
    let (taken, (written, ended)) = (result_of(taken), result_of(written));
    info!("sales that were lost: {}", taken - written);
    ended
}

// ANCHOR: till
/// Twelve customers stand in line. At closing time those who have not paid go home.
/// The till is sound for so many sales.
fn serve_the_line(send: SendSale, opening: Instant, sound: u32) -> u32 {
    let mut taken = 0;
    for sale in 1..=12 {
        if opening.elapsed() >= OPEN {
            break;
        }
        assert!(sale <= sound, "the till is broken");
        if let Err(SendError(sale)) = send(sale) {
            info!("the ledger has left; sale {sale} goes on paper");
            break;
        }
        taken += 1;
    }
    info!("the till has taken {taken} sales");
    taken
}
// ANCHOR_END: till

/// Each sale takes the ledger 0.3 s. The disk has room for so many.
fn write_slowly(
    sales: Receiver<u32>,
    opening: Instant,
    room: u32,
) -> (u32, Result<(), String>) {
    let mut written = 0;
    for _ in sales {
        let done = opening + (written + 1) * Duration::from_millis(300);
        thread::sleep(done.saturating_duration_since(Instant::now()));
        if written == room {
            let why = format!("the disk is full after {written} sale");
            return (written, Err(why));
        }
        written += 1;
    }
    info!("the ledger has written {written} sales");
    (written, Ok(()))
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map_err(|error| format!("cannot start the thread {name}: {error}"))
}

/// What a joined thread returned; if it panicked, the panic goes on here.
fn result_of<T>(joined: thread::Result<T>) -> T {
    match joined {
        Ok(result) => result,
        Err(payload) => panic::resume_unwind(payload),
    }
}
