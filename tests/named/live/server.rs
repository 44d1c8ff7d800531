//! The reader's server, those who ask it for something, and what is left of it.

use std::fmt::Debug;
use std::fs;
use std::io::{self, BufRead, BufReader, Lines, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::terminal::Terminal;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::{Agent, Body, BodyReader};
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::Workbook;
use workshop::live::door::TOKEN;

/// The program that `cargo run` starts.
pub static BOOK: LazyLock<PathBuf> = LazyLock::new(|| {
    let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
    programs.expect("cargo").remove("book").expect("the reader compiles")
});

/// Within this time nothing may be left of a run or of a server that has ended.
pub const SOON: Duration = Duration::from_secs(2);

/// How often nothing has to be found, one time after another.
const LOOKS: u32 = 5;

/// For whatever takes part.
const PATIENCE: Duration = Duration::from_secs(60);

/// The environment variable that a server has, and all that it starts.
const TRIAL: &str = "LIVE_TRIAL";

/// What the server prints before its address.
const OPEN: &str = "the book is open at ";

/// A server to be started.
pub struct Start {
    command: Command,
    trial: String,
    place: TempDir,
}

/// A reader's server. It ends with this value, if not before, and with this process.
pub struct Server {
    process: Running,
    /// Where it is, such as `127.0.0.1:3000`.
    pub address: SocketAddr,
    /// What it has printed for the reader to open, with the token.
    pub opened: String,
    /// What it takes for a proof that it was opened.
    pub token: String,
    /// The number of its process.
    pub pid: Pid,
    trial: String,
    place: TempDir,
}

enum Running {
    Child(Child),
    /// It runs in here.
    Terminal(Terminal),
    Over,
}

impl Start {
    /// The server of the workbook in the directory `root`, which has its programs built in `target`.
    pub fn of(root: &Path, target: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let trial = format!("{}-{}.", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let place = TempDir::new()?;
        let mut command = guarded("/bin/sh");
        // In a file, it is there for a server in a terminal as well.
        let script = "exec \"$@\" > \"$0/stdout\" 2> \"$0/stderr\"";
        command.args(["-c", script]).arg(place.path()).arg(&*BOOK).args(["--port", "0"]);
        command
            .env(TRIAL, &trial)
            .env("CARGO_MANIFEST_DIR", root.join("book"))
            .env("CARGO_TARGET_DIR", target)
            // The reader's own is not touched while someone reads it.
            .env("MDBOOK_BUILD__BUILD_DIR", place.path().join("book"));
        Ok(Self { command, trial, place })
    }

    /// The server of this very workbook.
    pub fn of_this_workbook() -> io::Result<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
        Self::of(&Workbook::home(), target)
    }

    /// With more arguments.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// With a variable in its environment, which its programs have as well.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it, and waits until it has told its address.
    pub fn start(mut self) -> Result<Server, Failed> {
        let child = self.command.spawn()?;
        let pid = child.id();
        self.started(Running::Child(child), pid)
    }

    /// The same in a terminal of its own.
    pub fn in_a_terminal(self) -> Result<Server, Failed> {
        let mut terminal = Terminal::open(&self.command)?;
        let pid = terminal.runs()?;
        self.started(Running::Terminal(terminal), pid)
    }

    fn started(self, process: Running, pid: u32) -> Result<Server, Failed> {
        let mut server = Server {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            opened: String::new(),
            token: String::new(),
            pid: Pid::from_raw(pid.cast_signed()),
            trial: self.trial,
            place: self.place,
        };
        let place = server.place.path().to_owned();
        let said = |name| fs::read_to_string(place.join(name)).unwrap_or_default();
        let limit = Instant::now() + PATIENCE;
        let opened = loop {
            let stdout = said("stdout");
            let line = stdout.lines().find_map(|line| line.strip_prefix(OPEN)).map(str::to_owned);
            if let Some(line) = line.filter(|_| stdout.ends_with('\n')) {
                break line.split(' ').next().unwrap_or_default().to_owned();
            }
            if Instant::now() > limit || !server.is_there() {
                return Err(format!("no server:\n{stdout}{}", said("stderr")).into());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let (address, token) = opened
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once("/#token="))
            .ok_or_else(|| format!("no address with a token: {opened}"))?;
        server.address = address.parse()?;
        server.token = token.to_owned();
        server.opened = opened;
        Ok(server)
    }
}

impl Server {
    /// Whether it runs.
    pub fn is_there(&mut self) -> bool {
        match &mut self.process {
            Running::Child(child) => child.try_wait().is_ok_and(|status| status.is_none()),
            Running::Terminal(_) => Path::new(&format!("/proc/{}/exe", self.pid)).exists(),
            Running::Over => false,
        }
    }

    /// A request as a page of its own makes it.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// The same, with something to tell.
    pub fn post(&self, path: &str, body: &Value) -> Ask {
        let mut ask =
            self.ask(Method::POST, path).with("origin", &format!("http://{}", self.address));
        ask.body = Some(body.to_string().into_bytes());
        ask
    }

    /// Any request.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        let headers = [
            ("host", self.address.to_string()),
            ("sec-fetch-site", "same-origin".to_owned()),
            (TOKEN, self.token.clone()),
        ];
        Ask {
            address: self.address,
            method,
            path: path.to_owned(),
            headers: headers.into(),
            body: None,
        }
    }

    /// Presses the button of a job in a page.
    pub fn run(&self, job: &str, page: &str) -> Result<Stream, Failed> {
        self.post("/api/run", &json!({ "id": job, "page": page })).stream()
    }

    /// What it has started and what still runs; not what is there until its own end.
    pub fn under_way(&self) -> Vec<String> {
        let all = processes_of(&self.trial).into_iter();
        let others = all.filter(|one| one.pid != self.pid && one.variable(GUARDS).is_none());
        others.map(|one| one.line()).collect()
    }

    /// Where its runs have their directories, once there was one.
    pub fn directory(&self) -> Option<PathBuf> {
        let mut all = processes_of(&self.trial).into_iter();
        let guardian = all.find(|one| one.variable(GUARDS).is_some())?;
        Some(guardian.arguments().nth(1)?.into())
    }

    /// Holds that soon none of its runs is left, and so many directories.
    pub fn is_at_rest(&self, directories: usize) -> Result<(), Failed> {
        soon("is left of the runs", || {
            let mut left = self.under_way();
            let entries = self.directory().and_then(|directory| fs::read_dir(directory).ok());
            let names = entries.into_iter().flatten().flatten().map(|entry| entry.path());
            let names: Vec<_> = names.map(|path| path.display().to_string()).collect();
            if names.len() != directories {
                left.extend(names);
            }
            left
        })
    }

    /// Sends it a signal, and holds that it ends and leaves nothing.
    pub fn end(self, signal: Signal) -> Result<(), Failed> {
        self.end_by(|server| Ok(kill(server.pid, signal)?))
    }

    /// The same by keys that are pressed in its terminal.
    pub fn end_by_keys(self, keys: &[u8]) -> Result<(), Failed> {
        self.end_by(|server| match &mut server.process {
            Running::Terminal(terminal) => Ok(terminal.press(keys)?),
            _ => Err("there is no terminal".into()),
        })
    }

    fn end_by(mut self, act: impl FnOnce(&mut Self) -> Result<(), Failed>) -> Result<(), Failed> {
        let directory = self.directory();
        act(&mut self)?;
        let left = soon("is left of the server", || {
            let mut left: Vec<_> = processes_of(&self.trial).iter().map(Process::line).collect();
            if self.is_there() {
                left.push("the server itself".to_owned());
            } else if TcpListener::bind(self.address).is_err() {
                left.push(format!("the port of {}", self.address));
            }
            let directory = directory.iter().filter(|directory| directory.exists());
            left.extend(directory.map(|directory| directory.display().to_string()));
            left
        });
        self.process = Running::Over;
        left
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is left, too: a test has failed that told of it.
        for process in processes_of(&self.trial) {
            let _ = kill(process.pid, Signal::SIGKILL);
        }
        if let Running::Child(child) = &mut self.process {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Holds that soon there is nothing of it, and that it stays so: what begins anew as fast as it ends is
/// not seen each time.
pub fn soon<T: Debug>(what: &str, mut left: impl FnMut() -> Vec<T>) -> Result<(), Failed> {
    let limit = Instant::now() + SOON;
    let mut looks = 0;
    loop {
        let found = left();
        looks = if found.is_empty() { looks + 1 } else { 0 };
        if looks == LOOKS {
            return Ok(());
        }
        if found.is_empty() {
            thread::sleep(Duration::from_millis(20));
            continue;
        }
        if Instant::now() > limit {
            return Err(format!("{SOON:?} later this {what}: {found:#?}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for something that takes a while.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, Failed> {
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return Ok(found);
        }
        if Instant::now() > limit {
            return Err(format!("{what}: not within {PATIENCE:?}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Set in the environment of a guardian.
const GUARDS: &str = "WORKBOOK_GUARDIAN";

/// A process as /proc tells of it.
struct Process {
    pid: Pid,
    environment: Vec<u8>,
    command: Vec<u8>,
}

impl Process {
    fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.environment.split(|byte| *byte == 0);
        let mut pairs = variables.filter_map(|one| str::from_utf8(one).ok()?.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    }

    fn arguments(&self) -> impl Iterator<Item = String> {
        let arguments = self.command.split(|byte| *byte == 0);
        arguments.map(|argument| String::from_utf8_lossy(argument).into_owned())
    }

    fn line(&self) -> String {
        let line = self.arguments().collect::<Vec<_>>().join(" ");
        format!("{}: {}", self.pid, line.chars().take(300).collect::<String>())
    }
}

/// The processes of a trial. A zombie counts as gone: its environment is empty.
fn processes_of(trial: &str) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok().map(Pid::from_raw)?;
        let read = |name| fs::read(entry.path().join(name)).unwrap_or_default();
        Some(Process { pid, environment: read("environ"), command: read("cmdline") })
    });
    processes.filter(|process| process.variable(TRIAL) == Some(trial)).collect()
}

/// A request, which may be other than a page of ours makes it.
#[derive(Clone)]
pub struct Ask {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Ask {
    /// With this header, and no other one of its name.
    pub fn with(self, name: &'static str, value: &str) -> Self {
        let mut ask = self.without(name);
        ask.headers.push((name, value.to_owned()));
        ask
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// With something else to tell.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn send(&self) -> Result<Response<Body>, Failed> {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .build()
            .into();
        let uri = format!("http://{}{}", self.address, self.path);
        let mut request = Request::builder().method(&self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = match &self.body {
            Some(body) => agent.run(request.body(&body[..]).map_err(|error| error.to_string())?),
            None => agent.run(request.body(()).map_err(|error| error.to_string())?),
        };
        Ok(answer?)
    }

    /// The whole answer.
    pub fn answer(&self) -> Result<Answer, Failed> {
        let (head, mut body) = self.send()?.into_parts();
        let mut text = String::new();
        body.as_reader().read_to_string(&mut text)?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
    }

    /// The answer as it comes; it has to be one.
    pub fn stream(&self) -> Result<Stream, Failed> {
        let (head, mut body) = self.send()?.into_parts();
        if head.status != 200 {
            let text = body.read_to_string().unwrap_or_default();
            return Err(format!("{}: {text}", head.status).into());
        }
        let lines = BufReader::new(body.into_reader()).lines();
        let mut stream = Stream { lines, run: 0, bytes: 0, is_drawn: false };
        let first = stream.next()?.unwrap_or_default();
        stream.run = first["run"].as_u64().ok_or_else(|| format!("no number in {first}"))?;
        Ok(stream)
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// What it says of itself.
    pub headers: HeaderMap,
    /// What it says.
    pub text: String,
}

impl Answer {
    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Its text as JSON.
    pub fn json(&self) -> Result<Value, Failed> {
        Ok(serde_json::from_str(&self.text)?)
    }
}

/// What comes of one press of a button. Its connection closes with this value.
pub struct Stream {
    lines: Lines<BufReader<BodyReader<'static>>>,
    /// The number of the run.
    pub run: u64,
    /// How much has come.
    pub bytes: usize,
    /// Whether its picture has come, and with it the end of the build.
    is_drawn: bool,
}

impl Stream {
    /// What comes next; nothing at the end.
    pub fn next(&mut self) -> Result<Option<Value>, Failed> {
        let Some(line) = self.lines.next() else { return Ok(None) };
        let line = line?;
        self.bytes += line.len();
        let told: Value = serde_json::from_str(&line)?;
        if self.is_drawn && told.get("build").is_some() {
            return Err(format!("the program was drawn, and then this was told: {line}").into());
        }
        self.is_drawn =
            told.get("run").is_none() && (self.is_drawn || told.get("picture").is_some());
        Ok(Some(told))
    }

    /// Waits until something of this name has come, and gives it.
    pub fn until(&mut self, name: &str) -> Result<Value, Failed> {
        let mut last = Value::Null;
        while let Some(told) = self.next()? {
            if let Some(found) = told.get(name) {
                return Ok(found.clone());
            }
            last = told;
        }
        Err(format!("no `{name}` has come, and last {last}").into())
    }

    /// Waits for the end, and gives what came last.
    pub fn last(&mut self) -> Result<Value, Failed> {
        let mut last = Value::Null;
        while let Some(told) = self.next()? {
            last = told;
        }
        Ok(last)
    }
}
