//! Runs made by hand, for the tests of what is told of them.

use std::path::PathBuf;

use workbook::tracer::call::{Call, Doing, Left};
use workbook::tracer::{Child, End, Fate, File, Limit, Printed, Sight, Tail, Thread, Wait};

/// A crawler in Python: its writer is cut off in a write, its heartbeat asleep.
pub fn crawler() -> Sight {
    Sight {
        command: ["python3", "crawl.py", "--to", "output.txt"].map(str::to_owned).to_vec(),
        pid: 4100,
        ended: 3.52,
        end: End::Exit { code: 0, by: Some(0) },
        threads: vec![
            thread(4100, "python3", Fate::EndedTheProcess),
            thread(4101, "writer", Fate::Cut(call("write", Some("output.txt")))),
            thread(4102, "heartbeat", Fate::Cut(asleep(0.4))),
            Thread {
                named: false,
                joined_by: Some(0),
                ..thread(4103, "python3", Fate::Ended(2.1))
            },
        ],
        signals: Vec::new(),
        waits: vec![wait(1.1, 2.1, Some(3))],
        printed: vec![line(3.5, "all pages fetched"), line(3.51, "<b>goodbye</b> \u{1b}]0;x\u{7}")],
        alarm: None,
        files: vec![file("output.txt", 4210, true, Tail::Torn)],
        children: Vec::new(),
        worker: None,
        stood: None,
        limits: vec![Limit("io_uring was in use: its calls cannot be seen".to_owned())],
    }
}

/// A thread that was given its name.
pub fn thread(id: u32, name: &str, fate: Fate) -> Thread {
    Thread { id, name: name.to_owned(), named: true, born: 0.01, fate, joined_by: None }
}

/// A call without a time limit.
pub fn call(name: &str, about: Option<&str>) -> Doing {
    let about = about.map(str::to_owned);
    Doing::Call(Call { name: name.to_owned(), about, left: Left::Untold })
}

/// A sleep with so many seconds to go.
pub fn asleep(left: f64) -> Doing {
    Doing::Call(Call { name: "clock_nanosleep".to_owned(), about: None, left: Left::Seconds(left) })
}

/// A wait of `main` in a futex.
pub fn wait(from: f64, to: f64, joins: Option<usize>) -> Wait {
    Wait { from, to, doing: call("futex", None), several: false, joins }
}

/// A line on standard output.
pub fn line(at: f64, line: &str) -> Printed {
    Printed { at, stderr: false, line: line.to_owned(), whole: true }
}

/// A file that has changed.
pub fn file(path: &str, size: u64, open: bool, tail: Tail) -> File {
    File { path: PathBuf::from(path), size, open, changed: true, tail }
}

/// A process that lives on.
pub fn child(pid: u32, name: &str) -> Child {
    let command = format!("{name} --secret=hunter2");
    Child { pid, name: name.to_owned(), command, forked: false }
}
