//! Runs a program in the reader's own surroundings and tells how it and its threads ended.

use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use nix::sys::signal::{Signal, raise};
use signal_hook::consts::{
    FORBIDDEN, SIGABRT, SIGBUS, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGSYS, SIGTERM,
    SIGTRAP, SIGURG, SIGWINCH, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Origin;
use workbook::proc::{ignored, name_of};
use workbook::tracer::follow::{News, Tracer};
use workbook::tracer::look::Look;
use workbook::tracer::sys::end_by;
use workbook::tracer::{End, Limit, Sender, Sight};

use crate::output::Outputs;
use crate::page;
use crate::report::{self, Report, writable};

/// The exit code of a failure of our own, as `timeout` has it.
const FAILED: u8 = 125;
/// That of a command that is there and cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// That of a command that is not there.
const NOT_FOUND: u8 = 127;

/// How long after a SIGTERM that is to end the program the SIGKILL comes.
const GRACE: Duration = Duration::from_secs(5);
/// So long after the first signal that is to end the program another one is a second one. `timeout` sends two at a time.
const SECOND: Duration = Duration::from_millis(200);
/// After this an interrupt from the terminal is a first one again: some programs take it for what they do just now.
const KEYS: Duration = Duration::from_secs(10);
/// How long after it the threads are looked at: the signal has woken one of them.
const SETTLED: Duration = Duration::from_millis(50);
/// When `--signal` is sent to a program that prints nothing.
const SILENT: Duration = Duration::from_secs(1);
/// How soon a signal that went to a whole group has reached the program as well, and how long before us.
const TOGETHER: Duration = Duration::from_millis(10);
const BEFORE: Duration = Duration::from_millis(200);
/// How far the two looks of `--pid` are apart.
const APART: Duration = Duration::from_secs(1);

/// What stands below the options.
const MORE: &str = "\
A second Ctrl-C or SIGTERM, with the program still there after the first, ends it as --for does.

Exit codes:
  that of the program; where a signal has ended it, this process is ended by the same one
  125  nothing was traced: a wrong option, no such process, a file that cannot be written
  126  the command cannot be executed
  127  there is no such command
  With --pid the exit code is 0 if the process could be looked at.";

/// What to trace, and what to make of it.
#[derive(Args, Debug)]
#[command(
    after_help = MORE,
    override_usage = "trace [OPTIONS] -- COMMAND…\n       trace [--private] [--json FILE] --pid N"
)]
pub struct Arguments {
    /// After this time tell what all threads do; SIGTERM, and 5 s later SIGKILL
    #[arg(
        long = "for",
        value_name = "SECONDS",
        value_parser = seconds,
        allow_negative_numbers = true
    )]
    time: Option<Duration>,
    /// Send it after S seconds, or at the first output: TERM@2, INT, 15
    #[arg(long, value_name = "NAME[@S]")]
    signal: Option<Planned>,
    /// Look at a process that runs, twice and without touching it
    #[arg(
        long,
        value_name = "N",
        value_parser = process,
        allow_negative_numbers = true,
        conflicts_with_all = ["time", "signal", "html", "command"]
    )]
    pid: Option<u32>,
    /// Write a page to look at in a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what was seen for other programs to read
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave out the command's arguments and what it printed
    #[arg(long)]
    private: bool,
    /// The program and its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "pid")]
    command: Vec<OsString>,
}

/// A signal that is to be sent.
#[derive(Clone, Copy, Debug)]
struct Planned {
    signal: Signal,
    at: Option<Duration>,
}

/// Whose environment the program is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The one that we have.
    Own,
    /// The one that we have, without what `cargo run` has added.
    BeforeCargo,
}

/// What cargo, and rustup before it, set for what `cargo run` runs, as their documentation says.
const OF_CARGO: [&str; 8] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_TOOLCHAIN_SOURCE",
    "RUST_RECURSION_COUNT",
];
/// The beginnings of others.
const BEGIN_AS_CARGOS: [&str; 4] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_FEATURE_"];

/// Does what the arguments say. The exit code is the program's; a signal that ended it ends this process
/// as well; 125 is a failure of our own, 126 a command that cannot be executed, 127 one that is not there.
pub fn trace(arguments: Arguments, environment: Environment) -> ExitCode {
    let traced = match arguments.pid {
        Some(pid) => look(pid, &arguments).map(|()| Passed::Code(0)),
        None => run(&arguments, environment),
    };
    match traced {
        Ok(Passed::Code(code)) => ExitCode::from(code),
        Ok(Passed::Signal(signal)) => {
            end_by(signal);
            // It is one that ends nothing.
            ExitCode::from(128_u8.wrapping_add(signal as u8))
        }
        Err((code, why)) => {
            say(&format!("{why}\n"));
            ExitCode::from(code)
        }
    }
}

/// Says in one line what is wrong with arguments that make no [`Arguments`], or gives the help that was asked
/// for. The exit code is that of a failure of our own.
pub fn refused(error: &clap::Error) -> ExitCode {
    told_why(error, "trace", FAILED)
}

/// The same for a command of this name, with the exit code that it has then.
pub(crate) fn told_why(error: &clap::Error, command: &str, code: u8) -> ExitCode {
    if !error.use_stderr() {
        // Whoever reads may have seen enough.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let line = lines.collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    let line = match error.kind() {
        ErrorKind::MissingRequiredArgument
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            format!("there is no command: {command} [OPTIONS] -- COMMAND…")
        }
        ErrorKind::ValueValidation => match wrong_value(error) {
            Some(line) => line,
            None => line.to_owned(),
        },
        ErrorKind::UnknownArgument => format!("{line}; the command stands behind `--`"),
        _ => line.to_owned(),
    };
    say(&format!("{}\n", report::words::plain(&line)));
    ExitCode::from(code)
}

/// What an option takes, and what it was given.
fn wrong_value(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let option = text(ContextKind::InvalidArg)?.split(' ').next()?;
    let value = text(ContextKind::InvalidValue)?;
    Some(format!("{option} takes {}, and not '{value}'", error.source()?))
}

/// What the end of the program makes of our own.
enum Passed {
    Code(u8),
    Signal(i32),
}

pub(crate) type Failed = (u8, String);

fn failed(why: impl ToString) -> Failed {
    (FAILED, why.to_string())
}

/// On standard error, where perhaps nobody reads.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn paths(arguments: &Arguments) -> Result<(), Failed> {
    for (option, path) in [("--html", &arguments.html), ("--json", &arguments.json)] {
        if let Some(path) = path {
            writable(option, path).map_err(failed)?;
        }
    }
    Ok(())
}

fn look(pid: u32, arguments: &Arguments) -> Result<(), Failed> {
    paths(arguments)?;
    let look = Look::at(pid, APART).map_err(failed)?;
    let report = report::look::Report::new(look, arguments.private);
    say(&report.screen());
    if let Some(path) = &arguments.json {
        report::write(path, &report.json())
            .map_err(|error| failed(format!("--json {}: {error}", path.display())))?;
    }
    Ok(())
}

fn run(arguments: &Arguments, environment: Environment) -> Result<Passed, Failed> {
    let (program, words) = arguments.command.split_first().ok_or_else(|| failed("no command"))?;
    let program = found(program)?;
    paths(arguments)?;
    let mut outputs = Outputs::new().map_err(failed)?;
    let mut command = Command::new(&program);
    command.arg0(&arguments.command[0]).args(words);
    outputs.give(&mut command);
    let mut limits = Vec::new();
    if environment == Environment::BeforeCargo {
        limits.extend(without_cargo(&mut command));
    }
    // Before the start: from then on each signal is the program's.
    let mut signals = SignalsInfo::<WithOrigin>::new(heard()).map_err(failed)?;
    let told = arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let tracer = Tracer::start(&mut command, told).map_err(|error| {
        let code = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
        (code, format!("{}: {error}", program.display()))
    })?;
    // Else its streams stay open with us.
    drop(command);
    let start = tracer.began();
    let mut sight = follow(tracer, arguments, &mut signals, &outputs).map_err(failed)?;
    let (lines, terminals) = (outputs.lines.clone(), Rc::clone(&outputs.terminals));
    terminals.iter().for_each(|terminal| _ = terminal.follow());
    let ends_us = |origin: Origin| [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&origin.signal);
    outputs.finish(|| signals.pending().any(ends_us));
    if let End::Signal { .. } = sight.end {
        terminals.iter().for_each(|terminal| terminal.restore());
    }
    sight.printed = lines.told(start);
    sight.alarm = lines.alarm(start);
    sight.limits.extend(limits);
    let passed = match sight.end {
        End::Exit { code, .. } => Passed::Code(code as u8),
        End::Signal { signal, .. } => Passed::Signal(signal),
    };
    let report = Report::new(sight, arguments.private);
    say(&report.screen());
    let pages = [("--html", &arguments.html, true), ("--json", &arguments.json, false)];
    for (option, path, is_page) in pages {
        let Some(path) = path else { continue };
        let text = if is_page { page::html(&report) } else { report.json() };
        // The program's own end is worth more than ours.
        if let Err(error) = report::write(path, &text) {
            say(&format!("{option} {}: {error}\n", path.display()));
        }
    }
    Ok(passed)
}

/// From the start of a program to its end, with all that has to be done meanwhile.
fn follow(
    mut tracer: Tracer,
    arguments: &Arguments,
    signals: &mut SignalsInfo<WithOrigin>,
    outputs: &Outputs,
) -> io::Result<Sight> {
    let start = tracer.began();
    // Before the program hears of it, and looks.
    let terminals = Rc::clone(&outputs.terminals);
    tracer.before_signals(move |signal| {
        if signal == SIGWINCH {
            terminals.iter().for_each(|terminal| terminal.resize());
        }
    });
    let mut passing: Vec<(i32, Sender, Instant)> = Vec::new();
    let mut planned = arguments.signal;
    let mut time = arguments.time;
    let mut kill = None;
    let mut asked: Option<Instant> = None;
    loop {
        let news = tracer.go_on()?;
        if news == News::Over {
            return Ok(tracer.finish());
        }
        outputs.terminals.iter().for_each(|terminal| _ = terminal.follow());
        let now = Instant::now();
        for Origin { signal, process, .. } in signals.pending() {
            if [SIGINT, SIGTERM].contains(&signal) && kill.is_none() {
                let since = asked.map(|first| now.duration_since(first));
                let is_over = |since: &Duration| process.is_none() && *since > KEYS;
                match since.filter(|since| !is_over(since)) {
                    None => asked = Some(now),
                    Some(since) if since < SECOND => {}
                    // Whoever says it twice has waited for long enough.
                    Some(_) => time = Some(now.duration_since(start) + SETTLED),
                }
            }
            if signal == SIGWINCH {
                outputs.terminals.iter().for_each(|terminal| terminal.resize());
            } else if let Some(by) = process {
                let pid = by.pid.cast_unsigned();
                passing.push((signal, Sender::Process { pid, name: name_of(pid) }, now));
            } else {
                // What the kernel sends, as for the keys of a terminal, it has sent to the program as well.
                tracer.terminal_sent(signal);
            }
        }
        // So has who sends to a whole group, as `timeout` does.
        let is_due = |(_, _, at): &(i32, Sender, Instant)| now.duration_since(*at) >= TOGETHER;
        for (signal, from, at) in passing.extract_if(.., |passed| is_due(passed)) {
            let Sender::Process { pid, .. } = from else { continue };
            if !tracer.has_got(signal, pid, at - BEFORE) {
                tracer.send(signal, from);
            }
        }
        // A shell takes this process for the program.
        if news == News::Stopped {
            raise(Signal::SIGSTOP)?;
        }
        let since = now.duration_since(start);
        let is_time = |planned: &Planned| match planned.at {
            Some(at) => since >= at,
            None => since >= SILENT || outputs.lines.first().is_some(),
        };
        if let Some(Planned { signal, .. }) = planned.take_if(|planned| is_time(planned)) {
            tracer.send(signal as i32, Sender::Tracer);
        }
        if time.take_if(|time| since >= *time).is_some() {
            tracer.stand();
            tracer.send(SIGTERM, Sender::Tracer);
            kill = Some(now + GRACE);
        }
        if kill.take_if(|at| now >= *at).is_some() {
            tracer.send(Signal::SIGKILL as i32, Sender::Tracer);
        }
    }
}

/// The signals that are for the program: all that can be handled, but for those that tell of our own faults
/// and children, the C library's own, and those that were ignored here from the beginning and so are there.
fn heard() -> Vec<i32> {
    let own =
        [SIGABRT, SIGBUS, SIGCHLD, SIGPIPE, SIGSYS, SIGTRAP, SIGURG, SIGXCPU, SIGXFSZ, 32, 33];
    let ignored = ignored();
    let is_heard = |signal: &i32| {
        !own.contains(signal) && !FORBIDDEN.contains(signal) && ignored & 1 << (signal - 1) == 0
    };
    (1..=64).filter(is_heard).collect()
}

/// Where a command is, as a shell looks for it.
pub(crate) fn found(name: &OsString) -> Result<PathBuf, Failed> {
    let shown = report::words::plain(&name.to_string_lossy());
    if name.is_empty() {
        return Err((NOT_FOUND, "the command has no name".to_owned()));
    }
    let not_found = || (NOT_FOUND, format!("{shown}: there is no such program"));
    let path = Path::new(name);
    if name.as_bytes().contains(&b'/') {
        return match fs::metadata(path) {
            Ok(found) => executable(path, &found, &shown),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_found()),
            Err(error) => Err((NOT_EXECUTABLE, format!("{shown}: {error}"))),
        };
    }
    let mut refused = None;
    for directory in env::split_paths(
        &env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
    ) {
        let path = directory.join(path);
        match fs::metadata(&path).ok().map(|found| executable(&path, &found, &shown)) {
            Some(Ok(path)) => return Ok(path),
            Some(Err(why)) => refused = refused.or(Some(why)),
            None => {}
        }
    }
    Err(refused.unwrap_or_else(not_found))
}

fn executable(path: &Path, found: &fs::Metadata, shown: &str) -> Result<PathBuf, Failed> {
    let no = |why: &str| Err((NOT_EXECUTABLE, format!("{shown}: {why}")));
    if found.is_dir() {
        return no("this is a directory");
    }
    if found.permissions().mode() & 0o111 == 0 {
        return no("this is not executable");
    }
    Ok(path.to_owned())
}

/// Takes out of the program's environment what cargo has put in; says what cannot be undone.
pub(crate) fn without_cargo(command: &mut Command) -> Option<Limit> {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_cargos = OF_CARGO.contains(&text.as_ref())
            || BEGIN_AS_CARGOS.iter().any(|begin| text.starts_with(begin));
        if is_cargos {
            command.env_remove(&name);
        }
    }
    let stays: Vec<_> = ["LD_LIBRARY_PATH", "RUST_BACKTRACE"]
        .into_iter()
        .filter(|name| env::var_os(name).is_some())
        .collect();
    (!stays.is_empty()).then(|| {
        Limit(format!(
            "`cargo run` has changed {} for the program; `when-main-returns` changes nothing",
            stays.join(" and ")
        ))
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let time = duration(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| "a number of seconds above 0".to_owned())
}

fn process(text: &str) -> Result<u32, String> {
    let id = text.parse().ok().filter(|id| *id > 0);
    id.ok_or_else(|| "the number of a process".to_owned())
}

fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

impl FromStr for Planned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let planned = || {
            let (name, at) = match text.split_once('@') {
                Some((name, at)) => (name, Some(duration(at)?)),
                None => (text, None),
            };
            let signal = match name.parse::<i32>() {
                Ok(number) => Signal::try_from(number).ok()?,
                Err(_) => {
                    let name = name.to_uppercase();
                    format!("SIG{}", name.strip_prefix("SIG").unwrap_or(&name)).parse().ok()?
                }
            };
            Some(Self { signal, at })
        };
        planned().ok_or_else(|| "a signal such as TERM, INT@2.5 or 15".to_owned())
    }
}
