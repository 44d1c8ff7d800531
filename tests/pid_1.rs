//! The lesson graceful-sigterm as the first process of a container: what a SIGTERM from outside does.
//!
//! A PID namespace stands for the container. Needs unshare and the right to make such a namespace;
//! without them the tests are listed as ignored.

mod tools;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use book::programs::{self, Programs};
use book::promise::{Profile, STILL_ALIVE};
use book::workbook::Workbook;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tools::{ended_within, on_path};

/// A PID namespace. Its processes end with `unshare`.
const CONTAINER: [&str; 5] = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = if arguments.list {
        Programs::new()
    } else {
        programs::build(&Workbook::home(), ["graceful-sigterm"], Profile::Dev).expect("cargo")
    };
    let trial = |name: &str, program: &str, script: Option<&'static str>, heeds| {
        let program = programs.get(program).cloned().unwrap_or_default();
        Trial::ignorable_test(name, move || {
            if !can_contain() {
                return Ok(Completion::ignored_with("no PID namespace can be made here"));
            }
            terminated(&program, script, heeds).map(|()| Completion::Completed)
        })
    };
    let service = "graceful-sigterm";
    let trials = vec![
        trial("pid-1::no-handler", "graceful-sigterm-default", None, false),
        trial("pid-1::handler", service, None, true),
        // Two commands, so that no shell replaces itself by the last one.
        trial("pid-1::under-a-shell", service, Some("\"$0\" \"$@\"; exit $?"), false),
        trial("pid-1::exec", service, Some("exec \"$0\" \"$@\""), true),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn can_contain() -> bool {
    on_path("unshare").is_some()
        && Command::new("unshare")
            .args(CONTAINER)
            .arg("true")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

/// Starts a program as PID 1, or a shell that starts it, and sends SIGTERM to PID 1.
fn terminated(program: &Path, script: Option<&str>, heeds: bool) -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let mut unshare = Command::new("unshare");
    unshare.args(CONTAINER);
    if let Some(script) = script {
        unshare.args(["sh", "-c", script]);
    }
    unshare.arg(program).arg("0").current_dir(directory.path());
    let mut container = Container(unshare.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
    // Kept until the end: the program prints on.
    let mut stdout = BufReader::new(container.0.stdout.take().ok_or("stdout is a pipe")?);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    if !line.contains("listening on") {
        return Err(format!("it says {line:?}").into());
    }

    let unshare = container.0.id();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
    kill(Pid::from_raw(children.trim().parse()?), Signal::SIGTERM)?;
    // Who is still alive after this time has not heeded the signal.
    match (ended_within(&mut container.0, STILL_ALIVE)?, heeds) {
        (None, false) => Ok(()),
        (Some(status), true) if status.success() => Ok(()),
        (found, _) => Err(format!("after SIGTERM: {found:?}").into()),
    }
}

/// Killed when the test has ended.
struct Container(Child);

impl Drop for Container {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
