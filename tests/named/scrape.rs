//! The lesson inference-telemetry under the eyes of a Prometheus server, and of scrapers that do
//! not let go of their connection; and the file of its last sample.
//!
//! Takes about half a minute. Needs prometheus and promtool for some tests, which are listed as
//! ignored without them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
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
use workbook::promise::Profile;
use workbook::promise::judge::texts;
use workbook::run::client;
use workbook::workbook::Workbook;

const LESSON: &str = "inference-telemetry";

/// How long anything may take that is to happen by itself.
const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: lesson\r\n\r\n";

/// Short, because the lesson is; a service is scraped once or a few times a minute.
const INTERVAL: &str = "200ms";

static PROGRAMS: LazyLock<Programs> =
    LazyLock::new(|| programs::build(&Workbook::home(), [LESSON], Profile::Dev).expect("cargo"));

fn main() -> ExitCode {
    let trials = vec![
        Trial::ignorable_test("prometheus::scrapes", needs("prometheus", prometheus_scrapes)),
        Trial::ignorable_test("promtool::reads", needs("promtool", promtool_reads)),
        Trial::test("file::replaced", a_file_is_replaced),
        Trial::test("file::mode", others_may_read_the_file),
        Trial::test("gateway::redirects", a_redirect_is_no_delivery),
        Trial::test("connections::held", connections_are_held),
        Trial::test("connections::full", a_full_table_is_survived),
        Trial::test("file::eight", eight_jobs_replace_one_file),
        Trial::test("file::limit", a_file_that_may_not_grow_fails_nothing),
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
    let tokens = server.values("inference_tokens_total{job=\"lesson\"}[1m]")?;
    let samples = server.values("telemetry_samples_total{job=\"lesson\"}[1m]")?;
    let left = server.values("inference_tokens_total{job=\"lesson\"}")?;
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
    if flush.success() && new.contains("inference_tokens_total 500") && old == "old 1\n" {
        Ok(())
    } else {
        Err(format!("{flush}; the old text is {old:?}, the new one {new:?}").into())
    }
}

/// The exporter is another user, and the job may have been told to keep its files to itself.
fn others_may_read_the_file() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let flush = Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\""])
        .arg(&PROGRAMS["inference-telemetry-flush"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .status()?;
    let mode = fs::metadata(directory.path().join("metrics.prom"))?.permissions().mode() & 0o777;
    if flush.success() && mode == 0o644 {
        Ok(())
    } else {
        Err(format!("{flush}; the mode is {mode:o}").into())
    }
}

/// A gateway behind a login: whoever pushes is sent to a page, and the page is there.
fn a_redirect_is_no_delivery() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let gateway = format!("http://{}", listener.local_addr()?);
    // Ends with this process.
    thread::Builder::new().name("gateway".to_owned()).spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut piece = [0; 4096];
            while let Ok(size @ 1..) = stream.read(&mut piece) {
                let answer: &[u8] = if piece.starts_with(b"GET ") {
                    b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlog in"
                } else if piece[..size].ends_with(b"\r\n\r\n") {
                    continue; // The body is another piece.
                } else {
                    b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
                };
                if stream.write_all(answer).is_err() {
                    break;
                }
            }
        }
    })?;
    let flush = Command::new(&PROGRAMS["inference-telemetry-flush"])
        .arg(gateway)
        .current_dir(directory.path())
        .output()?;
    let told = String::from_utf8_lossy(&flush.stderr);
    if flush.status.success() && told == "the last sample is lost: the gateway answers 302 Found\n"
    {
        Ok(())
    } else {
        Err(format!("{}; {told:?}, {}", flush.status, String::from_utf8_lossy(&flush.stdout))
            .into())
    }
}

/// Scrapers that have been answered, that have asked by half, and that have said nothing.
fn connections_are_held() -> Result<(), Failed> {
    let lesson = Lesson::start(LESSON, 0)?;
    let address = ("127.0.0.1", lesson.port);
    let mut answered = TcpStream::connect(address)?;
    answered.write_all(REQUEST)?;
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

/// A scrape is answered again when clients have let go of all descriptors that there are.
fn a_full_table_is_survived() -> Result<(), Failed> {
    const DESCRIPTORS: usize = 24;
    const HELD: usize = 22;
    // For 5.25 s, so that five seconds would be seen.
    let limit = format!("ulimit -n {DESCRIPTORS}; exec \"$0\" 0 11");
    let mut in_shell = guarded("sh");
    in_shell.args(["-c", &limit]).arg(&PROGRAMS[LESSON]);
    let lesson = Lesson::listening(in_shell)?;
    let address = ("127.0.0.1", lesson.port);
    let held: Vec<_> = (0..HELD).map(|_| TcpStream::connect(address)).collect::<Result<_, _>>()?;
    // The table is full: who comes now is connected by the kernel, and gets no answer.
    let mut crowded = TcpStream::connect(address)?;
    crowded.write_all(REQUEST)?;
    crowded.set_read_timeout(Some(Duration::from_millis(500)))?;
    if crowded.read(&mut [0]).is_ok() {
        return Err(format!("{HELD} connections leave a descriptor of {DESCRIPTORS}").into());
    }

    drop(held);
    let gone = Instant::now();
    let mut asking = TcpStream::connect(address)?;
    asking.write_all(REQUEST)?;
    asking.set_read_timeout(Some(PATIENCE))?;
    let mut head = [0; 15];
    asking.read_exact(&mut head)?;
    let took = gone.elapsed();
    if head != *b"HTTP/1.1 200 OK" {
        return Err(String::from_utf8_lossy(&head).into());
    }
    lesson.wait()?;
    as_the_chapter_tells(
        LESSON,
        "full",
        &[
            format!("{DESCRIPTORS} descriptors are all there are"),
            format!("{HELD} connections are held"),
            format!("answered {:.2} s after they have gone", took.as_secs_f64()),
        ],
    )
}

/// Jobs that end together lose no sample, and leave one whole text and nothing else.
fn eight_jobs_replace_one_file() -> Result<(), Failed> {
    for round in 1..=3 {
        let directory = TempDir::new()?;
        let start = |_| {
            guarded(&PROGRAMS["inference-telemetry-flush"])
                .current_dir(directory.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
        };
        let jobs = (0..8).map(start).collect::<Result<Vec<_>, _>>()?;
        for job in jobs {
            let ended = job.wait_with_output()?;
            if !ended.status.success() || !ended.stderr.is_empty() {
                let said = String::from_utf8_lossy(&ended.stderr);
                return Err(format!("round {round}: {}, {said}", ended.status).into());
            }
        }
        let text = fs::read_to_string(directory.path().join("metrics.prom"))?;
        let names: Vec<_> = fs::read_dir(directory.path())?.collect::<Result<_, _>>()?;
        if text.lines().last() != Some("telemetry_samples_total 5") || names.len() != 1 {
            return Err(format!("round {round}: {names:?}, {text:?}").into());
        }
    }
    Ok(())
}

/// SIGXFSZ, which is a write beyond the limit, does not end the job.
fn a_file_that_may_not_grow_fails_nothing() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let ended = guarded("sh")
        .args(["-c", "ulimit -f 0; exec \"$0\""])
        .arg(&PROGRAMS["inference-telemetry-flush"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let is_told = said.starts_with("the last sample is lost: File too large");
    if ended.status.success() && is_told && fs::read_dir(directory.path())?.next().is_none() {
        Ok(())
    } else {
        Err(format!("{}, {said}", ended.status).into())
    }
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
        let mut program = guarded(&PROGRAMS[program]);
        program.arg(port.to_string());
        Self::listening(program)
    }

    fn listening(mut program: Command) -> Result<Self, Failed> {
        let start = Instant::now();
        let mut process = program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut lesson =
            Self { process, output: BufReader::new(output), start, first: String::new(), port: 0 };
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
