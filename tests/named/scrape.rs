//! The lesson inference-telemetry under the eyes of a Prometheus server, and of scrapers that do
//! not let go of their connection.
//!
//! Takes about twenty seconds. Needs prometheus and promtool for some tests, which are listed as
//! ignored without them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use named::self_check::guarded;
use named::tools::{as_the_chapter_tells, ended_within, needs, one_at_a_time};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use workbook::programs::{self, Programs};
use workbook::promise::judge::texts;
use workbook::promise::{Profile, STILL_ALIVE};
use workbook::run::client;
use workbook::workbook::Workbook;

const LESSON: &str = "inference-telemetry";

/// How long anything may take that is to happen by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Short, because the lesson is; a service is scraped once or a few times a minute.
const INTERVAL: &str = "200ms";

static PROGRAMS: LazyLock<Programs> =
    LazyLock::new(|| programs::build(&Workbook::home(), [LESSON], Profile::Dev).expect("cargo"));

fn main() -> ExitCode {
    let trials = vec![
        Trial::ignorable_test("prometheus::scrapes", needs("prometheus", prometheus_scrapes)),
        Trial::ignorable_test("promtool::reads", needs("promtool", promtool_reads)),
        Trial::test("file::replaced", a_file_is_replaced),
        Trial::test("connections::held", connections_are_held),
        Trial::test("connections::graceful", half_a_request_holds_a_graceful_end),
    ];
    one_at_a_time(trials, || {
        LazyLock::force(&PROGRAMS);
    })
}

/// What a server knows of the lesson when it has ended, and that none of the server is left.
fn prometheus_scrapes() -> Result<(), Failed> {
    let lesson_port = free_port()?;
    let server = Prometheus::start(lesson_port)?;
    // Before the lesson starts: a first scrape has failed, and the next ones come at the interval.
    server.wait_until("up{job=\"lesson\"} == 0")?;
    let lesson = Lesson::start(LESSON, lesson_port)?;
    let (took, printed) = lesson.wait()?;
    server.wait_until("up{job=\"lesson\"} == 0")?;

    let up = server.values("up{job=\"lesson\"}[1m]")?;
    let tokens = server.values("inference_tokens{job=\"lesson\"}[1m]")?;
    let samples = server.values("telemetry_samples_total{job=\"lesson\"}[1m]")?;
    let left = server.values("inference_tokens{job=\"lesson\"}")?;
    server.end()?;

    if !tokens.is_sorted() || !samples.is_sorted() || tokens.len() != samples.len() {
        return Err(format!("they do not rise together: {tokens:?}, {samples:?}").into());
    }
    let mut counts = tokens.clone();
    counts.dedup();
    let complete = printed
        .iter()
        .find_map(|line| line.strip_prefix("the answer is complete: ")?.strip_suffix(" tokens"));
    as_the_chapter_tells(
        LESSON,
        "scraped",
        &[
            format!("{} scrapes found the service up", up.iter().filter(|up| **up == 1.0).count()),
            format!("{} different counts of tokens arrived", counts.len()),
            format!("the highest count is {}", tokens.last().copied().unwrap_or_default()),
            format!("the answer had {} tokens", complete.unwrap_or_default()),
            format!("the program ended after {:.2} s", took.as_secs_f64()),
            format!("{} counts are current after the end", left.len()),
        ],
    )
}

/// The text that is flushed, judged by the tool that comes with the server.
fn promtool_reads() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let flush = Command::new(&PROGRAMS["inference-telemetry-flush"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .status()?;
    let text = File::open(directory.path().join("metrics.prom"))?;
    let output = Command::new("promtool").args(["check", "metrics"]).stdin(text).output()?;
    if flush.success() && output.status.success() && output.stderr.is_empty() {
        Ok(())
    } else {
        Err(format!("{flush}, {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// Whoever has opened the old text can read it to its end.
fn a_file_is_replaced() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let [path, old] = ["metrics.prom", "opened-before"].map(|name| directory.path().join(name));
    fs::write(&path, "old 1\n")?;
    fs::hard_link(&path, &old)?;
    let flush = Command::new(&PROGRAMS["inference-telemetry-flush"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .status()?;
    let (new, old) = (fs::read_to_string(path)?, fs::read_to_string(old)?);
    if flush.success() && new.contains("inference_tokens 500") && old == "old 1\n" {
        Ok(())
    } else {
        Err(format!("{flush}; the old text is {old:?}, the new one {new:?}").into())
    }
}

/// Scrapers that have been answered, that have asked by half, and that have said nothing.
fn connections_are_held() -> Result<(), Failed> {
    let lesson = Lesson::start(LESSON, 0)?;
    let address = ("127.0.0.1", lesson.port);
    let mut answered = TcpStream::connect(address)?;
    answered.write_all(b"GET /metrics HTTP/1.1\r\nHost: lesson\r\n\r\n")?;
    let mut head = [0; 15];
    answered.read_exact(&mut head)?;
    let mut asking = TcpStream::connect(address)?;
    asking.write_all(b"GET /metrics HTTP/1.1\r\nHost: les")?;
    let silent = TcpStream::connect(address)?;
    if head != *b"HTTP/1.1 200 OK" {
        return Err(String::from_utf8_lossy(&head).into());
    }

    let (took, _) = lesson.wait()?;
    let held = [answered, asking, silent];
    let count = held.len();
    let mut cut = 0;
    for mut connection in held {
        connection.set_read_timeout(Some(PATIENCE))?;
        let end = connection.read_to_end(&mut Vec::new());
        let is_open = end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        cut += usize::from(!is_open);
    }
    as_the_chapter_tells(
        LESSON,
        "held",
        &[
            format!("{count} connections are held"),
            format!("the program ended after {:.2} s", took.as_secs_f64()),
            format!("{cut} connections were cut"),
        ],
    )
}

/// A server that lets every request end waits for one that has only begun.
fn half_a_request_holds_a_graceful_end() -> Result<(), Failed> {
    let mut lesson = Lesson::start("inference-telemetry-graceful", 0)?;
    let mut asking = TcpStream::connect(("127.0.0.1", lesson.port))?;
    asking.write_all(b"GET /metrics HTTP/1.1\r\nHost: les")?;
    let mut line = String::new();
    while !line.contains("the answer is complete") {
        line.clear();
        if lesson.output.read_line(&mut line)? == 0 {
            return Err("it ends without an answer".into());
        }
    }
    thread::sleep(STILL_ALIVE);
    let is_alive = lesson.process.try_wait()?.is_none();
    drop(asking);
    lesson.wait()?;
    let lived = if is_alive { STILL_ALIVE.as_secs() } else { 0 };
    as_the_chapter_tells(
        LESSON,
        "held-graceful",
        &[format!("alive {lived} s after the answer, until the client has gone")],
    )
}

/// The lesson, which has said where it listens.
struct Lesson {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    start: Instant,
    first: String,
    port: u16,
}

impl Lesson {
    fn start(program: &str, port: u16) -> Result<Self, Failed> {
        let start = Instant::now();
        let mut process = guarded(&PROGRAMS[program])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut lesson =
            Self { process, output: BufReader::new(output), start, first: String::new(), port };
        lesson.output.read_line(&mut lesson.first)?;
        lesson.port = client::port(&lesson.first).ok_or("it does not say where it listens")?;
        Ok(lesson)
    }

    /// How long it has run, and what it has said.
    fn wait(mut self) -> Result<(Duration, Vec<String>), Failed> {
        let status = ended_within(&mut self.process, PATIENCE)?.ok_or("the lesson does not end")?;
        let took = self.start.elapsed();
        let mut printed = self.first.clone();
        self.output.read_to_string(&mut printed)?;
        if status.success() { Ok((took, texts(&printed, None))) } else { Err(printed.into()) }
    }
}

/// Also where a test has failed.
impl Drop for Lesson {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server of our own, with everything that it keeps in a directory of its own.
struct Prometheus {
    process: Child,
    port: u16,
    directory: TempDir,
    agent: Agent,
}

impl Prometheus {
    fn start(lesson: u16) -> Result<Self, Failed> {
        let directory = TempDir::new()?;
        let configuration = format!(
            "global: {{ scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL} }}\n\
             scrape_configs:\n\
             - job_name: lesson\n  \
               static_configs: [ {{ targets: [ \"127.0.0.1:{lesson}\" ] }} ]\n"
        );
        fs::write(directory.path().join("prometheus.yml"), configuration)?;
        let port = free_port()?;
        let process = guarded("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(directory.path().join("log"))?)
            .process_group(0)
            .spawn()?;
        let agent = Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None).build();
        let mut server = Self { process, port, directory, agent: agent.into() };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), Failed> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.agent.get(self.url("/-/ready")).call().is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("prometheus ended with {status}: {}", self.log()).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("prometheus is not ready: {}", self.log()).into())
    }

    /// Until a query has an answer.
    fn wait_until(&self, query: &str) -> Result<(), Failed> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if !self.values(query)?.is_empty() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("prometheus does not find that {query}: {}", self.log()).into())
    }

    /// The values of the only series that answers a query, the oldest first.
    fn values(&self, query: &str) -> Result<Vec<f64>, Failed> {
        let mut answer = self.agent.get(self.url("/api/v1/query")).query("query", query).call()?;
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let series = answer["data"]["result"].as_array().ok_or("an answer without a result")?;
        let points = match &series[..] {
            [] => return Ok(Vec::new()),
            [one] => {
                one["values"].as_array().cloned().unwrap_or_else(|| vec![one["value"].clone()])
            }
            more => return Err(format!("{} series have the name of one", more.len()).into()),
        };
        let value =
            |point: &Value| Ok(point[1].as_str().ok_or("a point without a value")?.parse()?);
        points.iter().map(value).collect()
    }

    /// Ends it in good order, and looks for what could be left of it.
    fn end(mut self) -> Result<(), Failed> {
        let group = self.group()?;
        killpg(group, Signal::SIGTERM)?;
        if ended_within(&mut self.process, PATIENCE)?.is_none() {
            return Err(format!("prometheus does not end: {}", self.log()).into());
        }
        if killpg(group, None) != Err(Errno::ESRCH) {
            return Err("a process of prometheus is left".into());
        }
        if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            return Err("somebody listens on the port of prometheus".into());
        }
        let path: PathBuf = self.directory.path().into();
        drop(self);
        if path.exists() { Err("the directory of prometheus is left".into()) } else { Ok(()) }
    }

    fn group(&self) -> Result<Pid, Failed> {
        Ok(Pid::from_raw(self.process.id().try_into()?))
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// Also where a test has failed.
impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Free now; whoever takes it first has it.
fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
