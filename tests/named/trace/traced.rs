//! A run under the tracer in a directory of its own, and what was told of it.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::ended_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use crate::programs::TRACER;

/// How long a run may take that is to end by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of its own in which a command is traced.
pub struct Place {
    directory: TempDir,
}

/// A command that is traced.
pub struct Running<'a> {
    place: &'a Place,
    pub tracer: Child,
}

/// What was told of a run.
#[derive(Debug)]
pub struct Told {
    /// How the tracer ended.
    pub status: ExitStatus,
    /// What stood on stdout: the program's alone.
    pub stdout: Vec<u8>,
    /// All of stderr.
    pub stderr: String,
    /// The report, each run of spaces and line ends as one space.
    screen: String,
    /// Null where there is no report.
    pub json: Value,
}

impl Place {
    pub fn new() -> io::Result<Self> {
        let directory = TempDir::new()?;
        fs::create_dir(directory.path().join("work"))?;
        Ok(Self { directory })
    }

    /// A path in the directory where the program runs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    /// A path beside it.
    pub fn beside(&self, name: &str) -> String {
        self.directory.path().join(name).to_string_lossy().into_owned()
    }

    /// Starts `trace` with these options on a command; the JSON is asked for too.
    pub fn start(&self, options: &[&str], command: &[&str]) -> Result<Running<'_>, Failed> {
        let json = self.beside("report.json");
        let options = [options, &["--json", &json]].concat();
        self.start_as(&[&["trace"], &*options, &["--"], command].concat())
    }

    /// Starts the tracer with just these arguments.
    pub fn start_as(&self, arguments: &[&str]) -> Result<Running<'_>, Failed> {
        let tracer = guarded(&*TRACER)
            .args(arguments)
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .stdout(File::create(self.beside("stdout"))?)
            .stderr(File::create(self.beside("stderr"))?)
            .spawn()?;
        Ok(Running { place: self, tracer })
    }

    /// Traces a command that ends by itself.
    pub fn trace(&self, options: &[&str], command: &[&str]) -> Result<Told, Failed> {
        self.start(options, command)?.told()
    }

    /// What was printed so far, on both outputs.
    pub fn printed(&self) -> String {
        ["stdout", "stderr"].map(|name| read(&self.beside(name))).concat()
    }

    /// Waits until this was printed.
    pub fn wait_for(&self, text: &str) -> Result<(), Failed> {
        within(Duration::from_secs(30), || self.printed().contains(text))
            .map_err(|()| format!("not printed: {text}\n{}", self.printed()).into())
    }

    /// The processes that work in this directory.
    pub fn processes(&self) -> Vec<Pid> {
        let own = fs::canonicalize(self.directory.path()).unwrap_or_default();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let here = processes.filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&own))
        });
        let ids = here.filter_map(|process| process.file_name().to_str()?.parse().ok());
        ids.map(Pid::from_raw).collect()
    }

    /// Whether nothing works in this directory, at the latest after a second.
    pub fn is_left_by_all(&self) -> bool {
        within(Duration::from_secs(1), || self.processes().is_empty()).is_ok()
    }
}

/// What lives on is ended, also where a test has failed.
impl Drop for Place {
    fn drop(&mut self) {
        for process in self.processes() {
            let _ = kill(process, Signal::SIGKILL);
        }
    }
}

impl Running<'_> {
    /// Sends the tracer a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Failed> {
        Ok(kill(Pid::from_raw(self.tracer.id().try_into()?), signal)?)
    }

    /// Waits for the end.
    pub fn told(mut self) -> Result<Told, Failed> {
        let status = ended_within(&mut self.tracer, PATIENCE)?;
        let status = status.ok_or_else(|| {
            format!("it has not ended after {PATIENCE:?}:\n{}", self.place.printed())
        })?;
        let stderr = read(&self.place.beside("stderr"));
        let screen = report(&stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        let json = read(&self.place.beside("report.json"));
        let json = if json.is_empty() { Value::Null } else { serde_json::from_str(&json)? };
        Ok(Told { status, stdout: fs::read(self.place.beside("stdout"))?, stderr, screen, json })
    }
}

/// Also where a test has failed.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.tracer.kill();
        let _ = self.tracer.wait();
    }
}

/// Words that nobody can know from outside, and what only a broken report holds.
const NEVER: [&str; 10] = [
    "returned",
    "not joined",
    "mutex",
    "channel",
    "deadlock",
    "finished",
    "panicked at book/",
    "NaN",
    "None",
    "Some(",
];

/// How many lines and columns a screenful has.
const LINES: usize = 24;
const COLUMNS: usize = 100;

impl Told {
    /// The report says each of these; between two words there is one space.
    pub fn says<const N: usize>(&self, texts: [&str; N]) -> Result<&Self, Failed> {
        self.is_a_screenful()?;
        match texts.iter().find(|text| !self.screen.contains(**text)) {
            None => Ok(self),
            Some(text) => self.wrong(&format!("it does not say: {text}")),
        }
    }

    /// And none of these.
    pub fn says_not<const N: usize>(&self, texts: [&str; N]) -> Result<&Self, Failed> {
        match texts.iter().chain(&NEVER).find(|text| self.screen.contains(**text)) {
            None => Ok(self),
            Some(text) => self.wrong(&format!("it says: {text}")),
        }
    }

    /// The report has something that each of these expressions fits.
    pub fn fits<const N: usize>(&self, expressions: [&str; N]) -> Result<&Self, Failed> {
        for expression in expressions {
            if !Regex::new(expression)?.is_match(&self.screen) {
                return self.wrong(&format!("nothing fits: {expression}"));
            }
        }
        Ok(self)
    }

    /// The tracer ended with this exit code.
    pub fn exits(&self, code: i32) -> Result<&Self, Failed> {
        self.holds(self.status.code() == Some(code), &format!("exit code {code}"))
    }

    /// The tracer was ended by this signal, and without a core.
    pub fn dies_of(&self, signal: Signal) -> Result<&Self, Failed> {
        let is_so = self.status.signal() == Some(signal as i32) && !self.status.core_dumped();
        self.holds(is_so, &format!("{signal} without a core"))
    }

    /// All that the program printed on stdout.
    pub fn prints(&self, text: &str) -> Result<&Self, Failed> {
        self.holds(self.stdout == text.as_bytes(), &format!("stdout is {text:?}"))
    }

    /// Something else that has to hold.
    pub fn holds(&self, is_so: bool, what: &str) -> Result<&Self, Failed> {
        if is_so { Ok(self) } else { self.wrong(&format!("it is not so: {what}")) }
    }

    /// How many threads the JSON has whose fate fits, all if it is empty: `ended`, `cut`, `ended_the_process`, …
    pub fn threads(&self, fate: &str) -> usize {
        let threads = self.json["threads"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_one = |thread: &&Value| {
            let found = &thread["fate"];
            fate.is_empty() || found == fate || found.get(fate).is_some()
        };
        threads.iter().filter(is_one).count()
    }

    /// The last line that the program printed, as the JSON has it.
    pub fn printed_last(&self) -> &str {
        let lines = self.json["printed"].as_array().and_then(|lines| lines.last());
        lines.and_then(|last| last["line"].as_str()).unwrap_or_default()
    }

    /// The report does not hold a text, wherever it is.
    pub fn hides(&self, text: &str) -> Result<&Self, Failed> {
        let is_hidden = !self.screen.contains(text) && !self.json.to_string().contains(text);
        self.holds(is_hidden, &format!("{text} is told nowhere"))
    }

    fn is_a_screenful(&self) -> Result<(), Failed> {
        let report = report(&self.stderr);
        let is_one = report.lines().count() <= LINES
            && report.lines().all(|line| line.chars().count() <= COLUMNS);
        self.holds(is_one, "a screenful").map(|_| ())
    }

    fn wrong<T>(&self, what: &str) -> Result<T, Failed> {
        let stdout = String::from_utf8_lossy(&self.stdout);
        let stdout: String = stdout.chars().take(400).collect();
        Err(format!("{what}\n{}\nstdout: {stdout}\nstderr: {}", self.status, self.stderr).into())
    }
}

/// The report at the end of stderr, or all of it where there is none.
fn report(stderr: &str) -> &str {
    let from = ["\ncommand   ", "\nprocess   "].iter().find_map(|first| stderr.rfind(first));
    from.map_or(stderr, |from| &stderr[from + 1..])
}

/// One time of three, for what the tracer sees by looks: beside a load they come late.
pub fn one_time(act: impl Fn() -> Result<(), Failed>) -> Result<(), Failed> {
    act().or_else(|_| act()).or_else(|_| act())
}

/// Whether this becomes so within a time.
pub fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> Result<(), ()> {
    let limit = Instant::now() + time;
    loop {
        if is_so() {
            return Ok(());
        }
        if Instant::now() > limit {
            return Err(());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn read(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
