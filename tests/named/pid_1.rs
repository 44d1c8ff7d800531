//! The lesson graceful-sigterm as the first process of a container: what a SIGTERM from outside does,
//! and a second one.
//!
//! A PID namespace stands for the container. Needs unshare and the right to make such a namespace;
//! without them the tests are listed as ignored.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use named::self_check::guarded;
use named::tools::{ended_within, on_path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use workbook::programs::{self, Programs};
use workbook::promise::{Profile, STILL_ALIVE};
use workbook::run::client;
use workbook::workbook::Workbook;

/// A PID namespace. Its processes end with `unshare`.
const CONTAINER: [&str; 5] = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let home = Workbook::home();
    let programs = if arguments.list {
        Programs::new()
    } else {
        programs::build(&home, ["graceful-sigterm"], Profile::Dev).expect("cargo")
    };
    let path = |program: &str| {
        programs.get(program).map(|path| path.display().to_string()).unwrap_or_default()
    };
    let service = path("graceful-sigterm");
    let twin = home.join("lessons/14-graceful-sigterm/graceful-sigterm.py").display().to_string();
    // Two commands, so that no shell replaces itself by the last one.
    let under_a_shell = ["sh", "-c", "\"$0\" \"$@\"; exit $?", &service];
    let exec = ["sh", "-c", "exec \"$0\" \"$@\"", &service];
    let trials = vec![
        trial("no-handler", &[&path("graceful-sigterm-default")], |service| told(service, false)),
        trial("handler", &[&service], |service| told(service, true)),
        trial("under-a-shell", &under_a_shell, |service| told(service, false)),
        trial("exec", &exec, |service| told(service, true)),
        trial("told-twice", &[&service], told_twice),
        trial("told-twice-python", &["python3", &twin], told_twice),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test of what a command starts as PID 1.
fn trial(
    name: &str,
    command: &[&str],
    test: impl FnOnce(Container) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let command: Vec<_> = command.iter().map(|&argument| argument.to_owned()).collect();
    Trial::ignorable_test(format!("pid-1::{name}"), move || {
        if !can_contain() {
            return Ok(Completion::ignored_with("no PID namespace can be made here"));
        }
        if on_path(&command[0]).is_none() && !Path::new(&command[0]).exists() {
            return Ok(Completion::ignored_with(format!("there is no {}", command[0])));
        }
        test(Container::start(&command)?).map(|()| Completion::Completed)
    })
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

/// Sends SIGTERM to PID 1, and sees whether it ends.
fn told(mut service: Container, heeds: bool) -> Result<(), Failed> {
    service.send_sigterm()?;
    // Who is still alive after this time has not heeded the signal.
    match (ended_within(&mut service.unshare, STILL_ALIVE)?, heeds) {
        (None, false) => Ok(()),
        (Some(status), true) if status.success() => Ok(()),
        (found, _) => Err(format!("after SIGTERM: {found:?}").into()),
    }
}

/// Sends SIGTERM while an order is in flight, and again while PID 1 waits for that order.
fn told_twice(mut service: Container) -> Result<(), Failed> {
    let mut customer = TcpStream::connect(("127.0.0.1", service.port))?;
    let order = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    customer.write_all(order.as_bytes())?;
    service.wait_for("an order comes in")?;
    service.send_sigterm()?;
    service.wait_for("no more orders")?;
    service.send_sigterm()?;
    // With the order it would take 2.5 s.
    match ended_within(&mut service.unshare, Duration::from_secs(1))? {
        Some(status) if status.code() == Some(128 + Signal::SIGTERM as i32) => Ok(()),
        found => Err(format!("after the second SIGTERM: {found:?}").into()),
    }
}

/// A PID namespace whose first process is a service. It ends with this.
struct Container {
    unshare: Child,
    /// Kept until the end: the service prints on.
    stdout: BufReader<ChildStdout>,
    port: u16,
    /// Where the service writes.
    _directory: TempDir,
}

impl Container {
    fn start(command: &[String]) -> Result<Self, Failed> {
        let directory = TempDir::new()?;
        let mut unshare = guarded("unshare");
        unshare.args(CONTAINER).args(command).arg("0").current_dir(directory.path());
        let mut unshare = unshare.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = BufReader::new(unshare.stdout.take().ok_or("stdout is a pipe")?);
        let mut container = Self { unshare, stdout, port: 0, _directory: directory };
        let address = container.wait_for("listening on")?;
        container.port = client::port(&address).ok_or("it names no port")?;
        Ok(container)
    }

    /// Reads on until a line has this text.
    fn wait_for(&mut self, text: &str) -> Result<String, Failed> {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            if self.stdout.read_line(&mut line)? == 0 {
                return Err(format!("it does not say {text:?}").into());
            }
        }
        Ok(line)
    }

    fn send_sigterm(&self) -> Result<(), Failed> {
        let unshare = self.unshare.id();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
        Ok(kill(Pid::from_raw(children.trim().parse()?), Signal::SIGTERM)?)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}
