//! Programs that misbehave: what they print is bounded and harmless, and they end with all that they started.

use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::server::{Server, Start, Stream, wait_for};
use super::small::{PAGE, SMALL};
use super::{Test, has, is};

/// The exercise, which is what a reader writes; all else is the book's.
const EXERCISE: &str = "exercise::critical-worker";

/// Of a run that is ended for what it does, the last line comes within this time, with all that the build
/// has to say.
const AT_ONCE: Duration = Duration::from_secs(15);

/// Of any other run.
const IN_TIME: Duration = Duration::from_secs(40);

/// No run tells a page more than this.
const MOST_BYTES: usize = 4 << 20;

/// What a program does, and what the page is told of it in the end.
const MISDEEDS: [(&str, &str); 25] = [
    ("lines", "It had printed more than 2 MiB, and was ended."),
    ("no line end", "It had printed more than 2 MiB, and was ended."),
    ("errors", "It had printed more than 2 MiB, and was ended."),
    ("long line", "with exit code 0."),
    ("bytes", "with exit code 0."),
    ("many lines", "with exit code 0."),
    ("many threads", "with exit code 0."),
    ("fills", "Stopped: it had written more than 64 MiB."),
    ("fills the other", "Stopped: it had written more than 64 MiB."),
    ("fills what has no name", "Stopped: it had written more than 64 MiB."),
    ("fills with many", "Stopped: it had written more than 64 MiB."),
    ("a hole", "Stopped: it had written more than 64 MiB."),
    ("a hole, and ends", "Stopped: it had written more than 64 MiB."),
    ("forks", "Stopped: all were stopped."),
    ("forks on and on", "Stopped: all were stopped."),
    ("ignores SIGTERM", "Stopped: all were stopped."),
    ("leaves a child", "with exit code 0."),
    ("leaves a child in the group", "with exit code 0."),
    ("leaves a link", "with exit code 0."),
    ("leaves a file for once", "with exit code 0."),
    ("removes its directory", "with exit code 0."),
    ("closes a file to its owner", "with exit code 0."),
    ("leaves many files", "with exit code 0."),
    ("a late line", "with exit code 0."),
    ("never ends", "and was ended."),
];

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    let tests = MISDEEDS.into_iter().map(|(misdeed, status)| {
        Test::new(format!("misdeeds::{misdeed}"), move || does(misdeed, status)).needs(&["setsid"])
    });
    let frozen = Test::new("misdeeds::lines, to a page that reads none", to_a_frozen_page);
    tests.chain([frozen]).collect()
}

/// As a browser that stands still, and keeps its connection.
fn to_a_frozen_page() -> Result<(), Failed> {
    let start = Start::of(SMALL.root(), &SMALL.target())?;
    let server = start.variable("MISDEED", "lines").start()?;
    let _stream = server.run(EXERCISE, PAGE)?;
    wait_for("the program", || server.directory())?;
    // What it has printed is held against its promises first.
    wait_for("its end", || server.is_at_rest(0).ok())?;
    server.end(Signal::SIGTERM)
}

fn does(misdeed: &str, status: &str) -> Result<(), Failed> {
    let start = Start::of(SMALL.root(), &SMALL.target())?;
    let server = start.variable("MISDEED", misdeed).start()?;
    let mut stream = server.run(EXERCISE, PAGE)?;
    let began = Instant::now();
    if status.contains("all were stopped") {
        stop(&server, &mut stream, misdeed)?;
    }
    let last = last(&mut stream)?;
    has(last["status"].as_str().unwrap_or_default(), status)?;
    let is_ended = status.starts_with("Stopped: ");
    if began.elapsed() > if is_ended { AT_ONCE } else { IN_TIME } {
        return Err(format!("it took {:?}", began.elapsed()).into());
    }
    let html = last["done"].as_str().unwrap_or_default();
    match misdeed {
        "bytes" => harmless(html)?,
        "long line" => has(html, " more characters")?,
        "leaves a child" | "leaves a child in the group" => {
            has(html, "leaves no process behind</th><td><span class=\"no\">not kept:")?
        }
        "leaves a link" => has(html, "not kept:</span> there is notes</td>")?,
        // As in the self-check, what is there at the very end counts. Each picture is that of its own run.
        "leaves a file for once" => {
            is("strangers", html.contains("leaves no file but those in .gitignore"), false)?;
            has(
                html,
                "<p><code>cargo run -p critical-worker --bin critical-worker-exercise -- invoices<",
            )?;
        }
        "removes its directory" => has(html, "it is gone, or closed to its owner")?,
        "leaves many files" => has(html, "19980 more files")?,
        _ => {}
    }
    // Of an exercise not even the directory is kept.
    server.is_at_rest(0)?;
    // The server is as good as before.
    is("what is under way", server.get("/api/runs").answer()?.json()?, json!([]))?;
    server.end(Signal::SIGTERM)
}

/// Stops it when it is under way.
fn stop(server: &Server, stream: &mut Stream, misdeed: &str) -> Result<(), Failed> {
    while !stream.until("picture")?.to_string().contains("<samp>") {}
    if misdeed == "ignores SIGTERM" {
        let signal = json!({ "signal": "SIGTERM", "run": stream.run });
        is("status", server.post("/api/signal", &signal).answer()?.status, 200)?;
        // It goes on.
        stream.until("picture")?;
    }
    is("status", server.post("/api/stop", &json!({})).answer()?.status, 200)
}

/// What comes in the end, after not too much.
fn last(stream: &mut Stream) -> Result<Value, Failed> {
    let last = stream.last()?;
    if stream.bytes > MOST_BYTES {
        return Err(format!("{} bytes came", stream.bytes).into());
    }
    match &last["failed"] {
        Value::Null => Ok(last),
        failed => Err(format!("it failed: {failed}").into()),
    }
}

/// What a program has printed is text in the page, and no part of it.
fn harmless(html: &str) -> Result<(), Failed> {
    for shown in [
        "NUL \\u{0}, escape \\u{1b}[31m, no text \u{fffd}\u{fffd}",
        "&lt;img src=x onerror=alert(1)&gt;",
        "&lt;script&gt;alert(2)&lt;/script&gt;",
        "&lt;img src=x onerror=alert(3)&gt;.txt",
        "&lt;script&gt;alert(4)&lt;/script&gt;",
    ] {
        has(html, shown)?;
    }
    let bad = ["<img", "<script", "\0", "\u{1b}", "\u{7}"];
    match bad.into_iter().find(|bad| html.contains(bad)) {
        Some(bad) => Err(format!("{bad:?} is in\n{html}").into()),
        None => Ok(()),
    }
}
