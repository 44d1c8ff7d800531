//! Eleven ways to end a process while a worker lives, and what each leaves undone.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::{self, ExitCode};
use std::sync::Barrier;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, panic};

use tracing::info;

#[rustfmt::skip]
const WAYS: [&str; 11] = [
    "join", "return", "return-err", "panic", "panic-worker", "panic-joined",
    "exit", "exit-worker", "_exit", "abort", "wait",
];

// Here the worker tells that it is ready, and then waits to be told to go on. It may wait
// for ever: nothing that `main` drops at its end wakes it, as a `Sender` would.
static MEETING: Barrier = Barrier::new(2);
static STATIC: CleansUp = CleansUp("the static");

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let mut arguments = env::args().skip(1);
    let asked = arguments.next().unwrap_or_default();
    let Some(way) = WAYS.into_iter().find(|way| *way == asked) else {
        eprintln!("which way? one of {}", WAYS.join(", "));
        return Ok(ExitCode::FAILURE);
    };
    let directory = arguments.next().unwrap_or_else(|| ".".to_owned());
    let create = |name| {
        let path = format!("{directory}/{name}");
        File::create(&path)
            .map_err(|error| eprintln!("cannot write {path}: {error}"))
    };
    let Ok(file) = create("main.txt") else { return Ok(ExitCode::FAILURE) };
    let Ok(other) = create("worker.txt") else { return Ok(ExitCode::FAILURE) };
    run(way, BufWriter::new(file), BufWriter::new(other))
}

// ANCHOR: run
type Writer = BufWriter<File>;

fn run(way: &'static str, mut file: Writer, other: Writer) -> io::Result<ExitCode> {
    info!("my own work takes 1 s");
    let _guard = CleansUp("main");
    // The same guard as a static.
    let _for_ever = &STATIC;
    register_exit_handler()?;
    file.write_all(b"a line of main\n")?;
    let worker = thread::Builder::new()
        .name("worker".to_owned())
        .spawn(move || work(way, other))?;
    MEETING.wait();

    thread::sleep(Duration::from_secs(1));
    info!("the way out is {way}");
    print!("no line feed");
    leave(way, worker)
}
// ANCHOR_END: run

// ANCHOR: leave
fn leave(way: &str, worker: JoinHandle<io::Result<()>>) -> io::Result<ExitCode> {
    match way {
        "join" | "panic-joined" | "exit-worker" => {
            MEETING.wait();
            worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        }
        "return" => {}
        "return-err" => return Err(io::Error::other("the report is late")),
        "panic" => panic!("the report is late"),
        "panic-worker" => {
            MEETING.wait();
            // `main` has another second of work, and nobody looks at the worker.
            thread::sleep(Duration::from_secs(1));
        }
        #[expect(clippy::exit, reason = "what it does and skips is the subject")]
        "exit" => process::exit(3),
        #[expect(unsafe_code, reason = "std has no way past the exit handlers")]
        // SAFETY: it only ends the process.
        "_exit" => unsafe { libc::_exit(3) },
        "abort" => process::abort(),
        _ => {
            eprintln!("waiting for a signal");
            loop {
                thread::park();
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
// ANCHOR_END: leave

// ANCHOR: work
fn work(way: &str, mut file: Writer) -> io::Result<()> {
    let _guard = CleansUp("worker");
    file.write_all(b"a line of the worker\n")?;
    info!("my line is in its buffer");
    // The first time it is ready; the second time it waits to be told to go on.
    MEETING.wait();
    MEETING.wait();
    match way {
        "panic-worker" | "panic-joined" => panic!("a row has no customer"),
        #[expect(clippy::exit, reason = "any thread can end the process")]
        "exit-worker" => process::exit(3),
        _ => Ok(()),
    }
}
// ANCHOR_END: work

// ANCHOR: marks
/// A guard. Its destructor says so on stderr, which has no buffer.
struct CleansUp(&'static str);

impl Drop for CleansUp {
    fn drop(&mut self) {
        eprintln!("{} cleans up", self.0);
    }
}

extern "C" fn exit_handler() {
    eprintln!("the exit handler runs");
}

fn register_exit_handler() -> io::Result<()> {
    #[expect(unsafe_code, reason = "exit handlers are C's; std has none")]
    // SAFETY: the handler uses nothing that another thread could be changing.
    let failed = unsafe { libc::atexit(exit_handler) };
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::other("no more exit handlers"))
    }
}
// ANCHOR_END: marks
