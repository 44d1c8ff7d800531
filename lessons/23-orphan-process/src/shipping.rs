//! What the sidecar does, by the words of its kind.

use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use tracing::info;

/// What it says on stderr when it knows what to do on SIGTERM.
pub const READY: &str = "ready\n";

/// Ships logs for 4 s, or another number of them.
pub fn ship_logs(kind: &[&str]) -> io::Result<()> {
    let (start, parent) = (Instant::now(), parent_id());
    let is = |word| kind.contains(&word);
    let seconds = kind.iter().find_map(|word| word.parse().ok()).unwrap_or(4.0);
    let told = Arc::new(AtomicBool::new(false));
    if is("polite") || is("slow") || is("deaf") {
        flag::register(SIGTERM, Arc::clone(&told))?;
    }
    info!("the sidecar ships logs");
    start_helper(kind)?;
    // Nobody may be there any more who wants to know.
    let _ = io::stderr().write_all(READY.as_bytes());
    if is("reader") {
        for line in io::stdin().lines() {
            thread::sleep(Duration::from_millis(400));
            info!("line {} is shipped", line?);
        }
        info!("nobody holds my standard input: the sidecar ends");
        return Ok(());
    }
    let mut is_orphan = false;
    while start.elapsed().as_secs_f64() < seconds {
        if parent_id() != parent && !is_orphan {
            info!("my parent is gone, and I go on");
            is_orphan = true;
        }
        if !is("deaf") && told.load(Ordering::Relaxed) {
            // As a script does, which ships them by a command: it is born late.
            start_helper(kind)?;
            let last_words = if is("slow") { 700 } else { 200 };
            thread::sleep(Duration::from_millis(last_words));
            info!("SIGTERM: the last lines are shipped");
            // Who has said so still has to come to its end.
            thread::sleep(Duration::from_millis(100));
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    info!("the sidecar ends");
    Ok(())
}

/// What the sidecar starts in its turn, in `sh`. It holds `sidecar.log`, too.
fn start_helper(kind: &[&str]) -> io::Result<()> {
    let script = match kind {
        [.., "helper"] => "exec sleep 4",
        // The shell stays, and has a child in its turn.
        [.., "deaf-helper"] => "trap '' TERM; sleep 4; :",
        // Reads the sidecar's standard input to its end.
        [.., "reading-helper"] => "exec cat",
        _ => return Ok(()),
    };
    Command::new("sh").args(["-c", script]).stderr(Stdio::null()).spawn()?;
    Ok(())
}
