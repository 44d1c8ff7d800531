//! A rush before closing time: how much is left to write then, the channel's bound says.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, SendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io, panic};

use tracing::info;

const OPEN: Duration = Duration::from_millis(850);

type SendSale = Box<dyn Fn(u32) -> Result<(), SendError<u32>> + Send>;

fn main() -> ExitCode {
    lesson_log::init();
    let bound = env::args().nth(1).unwrap_or_else(|| "2".to_owned());
    let (send, sales) = match (bound.as_str(), bound.parse()) {
        ("none", _) => unbounded(),
        (_, Ok(bound)) => bounded(bound),
        _ => {
            eprintln!("the bound is a number or none, not {bound}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = trade(send, sales) {
        eprintln!("cannot start a thread: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
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

fn trade(send: SendSale, sales: Receiver<u32>) -> io::Result<()> {
    info!("the shop is open for 0.85 s");
    let opening = Instant::now();
    let till = thread::Builder::new()
        .name("till".to_owned())
        .spawn(move || serve_the_line(send, opening))?;
    let ledger = thread::Builder::new()
        .name("ledger".to_owned())
        .spawn(move || write_slowly(sales, opening))?;

    thread::sleep(OPEN);
    info!("closing time");
    info!("sales that were lost: {}", join(till) - join(ledger));
    Ok(())
}

// ANCHOR: till
/// Twelve customers stand in line. At closing time those who have not paid go home.
fn serve_the_line(send: SendSale, opening: Instant) -> u32 {
    let mut taken = 0;
    for sale in 1..=12 {
        if opening.elapsed() >= OPEN || send(sale).is_err() {
            break;
        }
        taken += 1;
    }
    info!("the till has taken {taken} sales");
    taken
}
// ANCHOR_END: till

/// Each sale takes the ledger 0.3 s.
fn write_slowly(sales: Receiver<u32>, opening: Instant) -> u32 {
    let mut written = 0;
    for _ in sales {
        written += 1;
        let done = opening + written * Duration::from_millis(300);
        thread::sleep(done.saturating_duration_since(Instant::now()));
    }
    info!("the ledger has written {written} sales");
    written
}

fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
