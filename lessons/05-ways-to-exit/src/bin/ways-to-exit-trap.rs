//! A shell script is sent a SIGTERM while its program is at work. When does its trap run?

use std::os::unix::process::{CommandExt, parent_id};
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
        r#"trap 'kill -TERM $!; echo "the trap runs"' INT TERM
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
    let is_ctrl_c = asked == *"ctrl-c";
    let name = if is_ctrl_c { "background".into() } else { asked.clone() };
    let script = SCRIPTS.iter().find(|(script, _)| name == **script);
    let ended = match script {
        Some((_, script)) => run(script, is_ctrl_c),
        None if asked == "work" => {
            work();
            Ok(())
        }
        None => Err(io::Error::other(
            "where does the work run? foreground, background or, with a Ctrl-C, ctrl-c",
        )),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run(script: &str, is_ctrl_c: bool) -> io::Result<()> {
    // A shell cannot trap what was ignored when it started.
    for signal in [libc::SIGINT, libc::SIGTERM] {
        #[expect(unsafe_code, reason = "std sets no signal's disposition")]
        // SAFETY: the default is no function of ours.
        unsafe {
            libc::signal(signal, libc::SIG_DFL)
        };
    }
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(env::current_exe()?);
    if is_ctrl_c {
        // A terminal sends it to a whole process group. This one is of the script and its work.
        shell.process_group(0).env("CTRL_C", "");
    }
    match shell.status() {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(format!("cannot start sh: {error}"))),
    }
}

// ANCHOR: work
/// Somebody stops the script, in the midst of this program's work.
fn work() {
    // A process group that is 0 is one's own.
    let (whom, signal, name) = match env::var_os("CTRL_C") {
        Some(_) => (0, libc::SIGINT, "SIGINT"),
        None => (parent_id().cast_signed(), libc::SIGTERM, "SIGTERM"),
    };
    info!("my work takes 1 s; the script gets a {name}");
    #[expect(unsafe_code, reason = "std sends no signals")]
    // SAFETY: it is another process that gets the signal, or this one, which has no handler.
    unsafe {
        libc::kill(whom, signal)
    };
    thread::sleep(Duration::from_secs(1));
    info!("my work is done");
}
// ANCHOR_END: work
