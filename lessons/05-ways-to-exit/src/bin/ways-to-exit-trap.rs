//! A shell script is sent a SIGTERM while its program is at work. When does its trap run?

use std::os::unix::process::parent_id;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, io, thread};

use tracing::info;

// ANCHOR: scripts
const SCRIPTS: [(&str, &str); 2] = [
    (
        "foreground",
        r#"trap 'echo "the trap runs"' TERM
           "$0" work
           echo "the script ends""#,
    ),
    (
        "background",
        r#"trap 'kill -TERM $!; echo "the trap runs"' TERM
           "$0" work &
           wait $!  # A signal ends this wait at once, and the trap runs.
           wait $!
           echo "the script ends""#,
    ),
];
// ANCHOR_END: scripts

fn main() -> ExitCode {
    lesson_log::init();
    let asked = env::args_os().nth(1).unwrap_or_default();
    let script = SCRIPTS.iter().find(|(name, _)| asked == **name);
    let ended = match script {
        Some((_, script)) => run(script),
        None if asked == "work" => {
            work();
            Ok(())
        }
        None => Err(io::Error::other(
            "where does the work run? foreground or background",
        )),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(script: &str) -> io::Result<()> {
    // A shell cannot trap what was ignored when it started.
    #[expect(unsafe_code, reason = "std sets no signal's disposition")]
    // SAFETY: the default is no function of ours.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_DFL)
    };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(env::current_exe()?);
    match shell.status() {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(format!("cannot start sh: {error}"))),
    }
}

// ANCHOR: work
/// Somebody stops the script, in the midst of this program's work.
fn work() {
    info!("my work takes 1 s; the script gets a SIGTERM");
    #[expect(unsafe_code, reason = "std sends no signals")]
    // SAFETY: it is another process that gets the signal.
    unsafe {
        libc::kill(parent_id().cast_signed(), libc::SIGTERM)
    };
    thread::sleep(Duration::from_secs(1));
    info!("my work is done");
}
// ANCHOR_END: work
