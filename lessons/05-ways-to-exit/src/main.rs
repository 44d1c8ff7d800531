//! Eleven ways to end a process while a worker lives, and what each leaves undone.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
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

type Writer = BufWriter<File>;

fn main() -> io::Result<ExitCode> {
    lesson_log::init();
    let mut arguments = env::args_os().skip(1);
    let asked = arguments.next().unwrap_or_default();
    let Some(way) = WAYS.into_iter().find(|way| asked == **way) else {
        let ways = WAYS.join(", ");
        return Ok(lesson_log::failure(format!("which way? one of {ways}")));
    };
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| ".".into()));
    let main = create(&directory.join("main.txt"));
    match main.and_then(|main| Ok((main, create(&directory.join("worker.txt"))?))) {
        Ok((main, worker)) => run(way, main, worker),
        Err(why) => Ok(lesson_log::failure(why)),
    }
}

// ANCHOR: run
// Where the worker says that it is ready, and then waits to be told to go on. Most
// ways out never tell it, and nothing that `main` drops at its end wakes it.
static MEETING: Barrier = Barrier::new(2);
static STATIC: CleansUp = CleansUp("the static");

thread_local! {
    static LOCAL: Cell<Option<CleansUp>> = const { Cell::new(None) };
}

fn run(way: &'static str, mut file: Writer, other: Writer) -> io::Result<ExitCode> {
    info!("my own work takes 1 s");
    let started =
        thread::Builder::new().name("worker".to_owned()).spawn(|| work(way, other));
    let worker = match started {
        Ok(worker) => worker,
        Err(error) => {
            let why = format!("cannot start the thread worker: {error}");
            return Ok(lesson_log::failure(why));
        }
    };
    let _guard = CleansUp("main");
    LOCAL.set(Some(CleansUp("main's thread-local")));
    let _for_ever = &STATIC;
    file.write_all(b"a line of main\n")?;
    register_exit_handler()?;
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
            match worker.join() {
                Ok(result) => result?,
                Err(payload) => panic::resume_unwind(payload),
            }
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
        _ => wait_for_a_signal(),
    }
    Ok(ExitCode::SUCCESS)
}
// ANCHOR_END: leave

// ANCHOR: work
fn work(way: &str, mut file: Writer) -> io::Result<()> {
    let _guard = CleansUp("worker");
    LOCAL.set(Some(CleansUp("worker's thread-local")));
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
/// Says so on stderr, which has no buffer. Not with `eprintln!`: that panics if nobody can read
/// it, and a panic in a destructor or a C function aborts.
fn mark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A guard.
struct CleansUp(&'static str);

impl Drop for CleansUp {
    fn drop(&mut self) {
        mark(&format!("{} cleans up", self.0));
    }
}

extern "C" fn exit_handler() {
    mark("the exit handler runs");
}
// ANCHOR_END: marks

fn register_exit_handler() -> io::Result<()> {
    #[expect(unsafe_code, reason = "exit handlers are C's; std has none")]
    // SAFETY: the handler uses nothing that another thread could be changing.
    match unsafe { libc::atexit(exit_handler) } {
        0 => Ok(()),
        _ => Err(io::Error::other("no more exit handlers")),
    }
}

fn wait_for_a_signal() -> ! {
    // What the parent ignored is ignored here, too; the subject is the default.
    for signal in [libc::SIGINT, libc::SIGTERM] {
        #[expect(unsafe_code, reason = "std sets no signal's disposition")]
        // SAFETY: the default is no function of ours.
        unsafe {
            libc::signal(signal, libc::SIG_DFL)
        };
    }
    mark("waiting for a signal");
    loop {
        thread::park();
    }
}

fn create(path: &Path) -> io::Result<Writer> {
    File::create(path).map(BufWriter::new).map_err(|error| {
        io::Error::other(format!("cannot write {}: {error}", path.display()))
    })
}
