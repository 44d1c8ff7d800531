//! Ten thousand lines through `tracing-appender`: who waits until they are in the file?

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{env, mem, thread};

use tracing::info;
use tracing_appender::non_blocking;
use tracing_appender::non_blocking::DEFAULT_BUFFERED_LINES_LIMIT;

const WAYS: [&str; 5] = ["kept", "panic", "forgotten", "exit", "waited"];
const BLOCK: usize = 100 * "line 00000\n".len();

fn main() -> ExitCode {
    lesson_log::init();
    let args: Vec<_> = env::args_os().skip(1).collect();
    let arg =
        |n: usize, default| args.get(n).map_or(OsStr::new(default), |arg| arg);
    let (way, millis, path) = (arg(0, "kept"), arg(1, "3"), arg(2, "service.log"));
    let Some(known) = WAYS.into_iter().find(|known| way == *known) else {
        let (way, ways) = (way.display(), WAYS.join(", "));
        return lesson_log::failure(format!(
            "unknown way `{way}`; choose from {ways}"
        ));
    };
    let Some(number) =
        millis.to_str().and_then(|number| number.parse::<u16>().ok())
    else {
        let millis = millis.display();
        let why = format!("`{millis}` is not a number of milliseconds");
        return lesson_log::failure(why);
    };
    match run(known, path.as_ref(), Duration::from_millis(number.into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            lesson_log::failure(format!("cannot write {}: {why}", path.display()))
        }
    }
}

// ANCHOR: run
#[expect(clippy::exit, clippy::mem_forget, reason = "these two lose lines")]
fn run(way: &str, path: &Path, block_time: Duration) -> io::Result<()> {
    let (open, closed) = mpsc::channel();
    let file =
        File::options().write(true).create(true).truncate(false).open(path)?;
    let (start, blocks) = (None, 0);
    let disk = Disk { file, block_time, start, blocks, _open: open };
    let (mut log, guard) = non_blocking(BufWriter::with_capacity(BLOCK, disk));
    // An old file is emptied when there is a thread to fill it anew.
    File::create(path)?;
    let room = DEFAULT_BUFFERED_LINES_LIMIT;
    info!("10000 lines for {}; the queue holds {room}", path.display());
    for number in 1..=10_000 {
        let line = format!("line {number:05}\n");
        // Ok means neither that it is in the file nor that it is in the queue.
        log.write_all(line.as_bytes())?;
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
