//! Started in three ways, a program sends itself three signals: which of them end it?

use std::process::{Command, ExitCode, Stdio};
use std::{env, io};

use tracing::info;

const SIGNALS: [(&str, i32); 3] = [
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGTERM", libc::SIGTERM),
];

fn main() -> ExitCode {
    let asked = env::args_os().nth(1).unwrap_or_default();
    if let Some((_, signal)) = SIGNALS.iter().find(|(name, _)| asked == **name) {
        send_myself(*signal);
        // Whoever comes here has outlived the signal.
        return ExitCode::SUCCESS;
    }
    lesson_log::init();
    match try_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

// ANCHOR: starts
const STARTS: [(&str, &str); 3] = [
    ("by itself", r#"exec "$0" "$1""#),
    ("with nohup", r#"exec nohup "$0" "$1""#),
    ("with & in a script", r#""$0" "$1" & wait $!"#),
];

fn try_all() -> io::Result<()> {
    let myself = env::current_exe()?;
    SIGNALS.iter().for_each(|(_, signal)| use_default(*signal));
    for (start, script) in STARTS {
        for (name, _) in SIGNALS {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).arg(&myself).arg(name);
            // On a terminal nohup would write a file.
            shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let ended = shell.status().map_err(cannot_start)?;
            info!("{start}, {name}: {ended}");
        }
    }
    Ok(())
}
// ANCHOR_END: starts

fn cannot_start(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot start sh: {error}"))
}

/// Whoever started this program may have had the signal ignored, too.
fn use_default(signal: i32) {
    #[expect(unsafe_code, reason = "std sets no signal's disposition")]
    // SAFETY: the default is no function of ours.
    unsafe {
        libc::signal(signal, libc::SIG_DFL)
    };
}

fn send_myself(signal: i32) {
    #[expect(unsafe_code, reason = "std sends no signals")]
    // SAFETY: there is no handler, so nothing of this program runs.
    unsafe {
        libc::raise(signal)
    };
}
