//! Ten thousand lines through `tracing-appender`: who waits until they are in the file?

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{env, mem, thread};

use tracing::info;
use tracing_appender::non_blocking;
use tracing_appender::non_blocking::DEFAULT_BUFFERED_LINES_LIMIT;

const WAYS: [&str; 6] =
    ["kept", "panic", "forgotten", "exit", "underscore", "waited"];
const BLOCK: usize = 100 * "line 00000\n".len();

fn main() -> ExitCode {
    lesson_log::init();
    let mut args = env::args().skip(1);
    let way = args.next().unwrap_or_else(|| "kept".to_owned());
    let millis = args.next().unwrap_or_else(|| "3".to_owned());
    let path = args.next().unwrap_or_else(|| "service.log".to_owned());
    let result = match millis.parse() {
        _ if !WAYS.contains(&way.as_str()) => Err(format!("unknown way `{way}`")),
        Ok(millis) => run(&way, &path, Duration::from_millis(millis)),
        Err(_) => Err(format!("`{millis}` is not a number of milliseconds")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
#[expect(clippy::exit, clippy::mem_forget, reason = "these two lose lines")]
fn run(way: &str, path: &str, block_time: Duration) -> Result<(), String> {
    let file =
        File::create(path).map_err(|e| format!("cannot write {path}: {e}"))?;
    let (open, closed) = mpsc::channel();
    let disk = Disk { file, block_time, start: None, blocks: 0, _open: open };
    let (mut log, guard) = non_blocking(BufWriter::with_capacity(BLOCK, disk));
    info!("10000 lines for {path}; the queue holds {DEFAULT_BUFFERED_LINES_LIMIT}");
    for number in 1..=10_000 {
        let line = format!("line {number:05}\n");
        // Ok means neither that it is in the file nor that it is in the queue.
        log.write_all(line.as_bytes()).map_err(|e| e.to_string())?;
    }
    info!("10000 lines are logged");
    match way {
        "forgotten" => mem::forget(guard),
        "exit" => process::exit(0),
        "panic" => panic!("main fails"),
        _ => drop(guard),
    }
    if way == "waited" {
        // The thread drops the disk after the last line: the channel closes.
        match closed.recv_timeout(Duration::from_secs(5)) {
            Err(RecvTimeoutError::Timeout) => info!("lines are missing"),
            _ => info!("all are written"),
        }
    }
    info!("main returns");
    Ok(())
}
// ANCHOR_END: run

// ANCHOR: disk
/// A file on a disk that takes its time for each block of a hundred lines.
struct Disk {
    file: File,
    block_time: Duration,
    start: Option<Instant>,
    blocks: u32,
    /// Dropped with the disk: that closes the channel.
    _open: Sender<()>,
}
// ANCHOR_END: disk

impl Write for Disk {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        // Paced against the first block, so that late wake-ups do not add up.
        let start = *self.start.get_or_insert_with(Instant::now);
        self.blocks += 1;
        let done = start + self.blocks * self.block_time;
        thread::sleep(done.saturating_duration_since(Instant::now()));
        self.file.write(block)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
