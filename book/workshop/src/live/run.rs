//! One run at the press of a button, from the build to the verdict.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use maud::{Markup, html};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use walkdir::WalkDir;
use workbook::exercise::{Ignored, Progress, marker};
use workbook::programs::{Building, Programs, builder};
use workbook::promise::judge::{Broken, End, Ran};
use workbook::promise::{APART, Ends, Exit, Language, Promise, Run, in_seconds};
use workbook::recording::{File, Recording};
use workbook::run::{Gate, MOST_OUTPUT, Observer, Start, run, temporary_directory};
use workbook::timeline::{self, Drawn};
use workbook::tracer::beside;
use workbook::twins::Toolchain;
use workbook::verdict::{left_in, readable};
use workbook::workbook::MARKER;

use super::offer::{self, Job, Subject, rounded};
use crate::tables::inline;

/// More lines than these of a run are not shown while it goes on, nor at its beginning and its end.
const MOST_LINES: usize = 200;

/// How many files are shown that a run has left, and how much of each.
const MOST_FILES: usize = 20;
const MOST_OF_ITS_LINES: usize = 10;
const MOST_OF_A_FILE: u64 = 4096;

/// A program that has written more than this is ended.
const MOST_BYTES: u64 = 64 << 20;

/// What is then told.
const TOO_MUCH: &str = "it had written more than 64 MiB";

/// How often that is looked at: in memory, a program writes hundreds of MiB in a quarter of a second.
const LOOKS: Duration = Duration::from_millis(50);

/// The clock that dates a file may be behind by so much.
const TICK: Duration = Duration::from_millis(20);

/// How long an ended build may take to leave.
const LEAVES: Duration = Duration::from_millis(500);

/// A run under way, and what it has come to.
pub struct Live {
    /// Its number, by which a page names it.
    pub number: u64,
    /// What it is a run of.
    pub job: Job,
    state: Mutex<State>,
    /// Told of whatever is new.
    pub news: Notify,
}

#[derive(Default)]
struct State {
    /// What the build has said and nobody has taken.
    build: Vec<String>,
    /// The process group of the program, or of the build, as long as it is there.
    group: Option<Pid>,
    /// Whether that is the program.
    is_program: bool,
    /// The program's directory for temporary files.
    temporary: Option<PathBuf>,
    began: Option<Instant>,
    /// Which of its scenario's runs it is, from 0.
    index: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// What the reader has sent, and when.
    sent: Vec<(Duration, Signal)>,
    /// Why it is ended, where not by itself.
    stopped: Option<&'static str>,
    outcome: Option<Outcome>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How far the exercise is, if it is one.
    pub progress: Option<Progress>,
    /// For the page.
    pub told: Value,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} of {}", self.number, self.job.id)
    }
}

impl Observer for Live {
    fn started(&self, group: Pid, temporary: &Path) {
        let mut state = self.state();
        if state.stopped.is_some() {
            let _ = killpg(group, Signal::SIGKILL);
        }
        state.group = Some(group);
        state.is_program = true;
        state.temporary = Some(temporary.to_owned());
        state.began = Some(Instant::now());
        state.stdout.clear();
        state.stderr.clear();
        self.changed(state);
    }

    fn printed(&self, stdout: &[u8], stderr: &[u8]) {
        let mut state = self.state();
        let State { stdout: known_stdout, stderr: known_stderr, .. } = &mut *state;
        for (known, now) in [(known_stdout, stdout), (known_stderr, stderr)] {
            let new = known.len();
            known.extend(&now[new..]);
        }
        self.changed(state);
    }

    fn ended(&self) {
        let mut state = self.state();
        state.group = None;
        state.is_program = false;
    }
}

impl Live {
    /// Starts a run of a job in a directory.
    pub fn start(
        number: u64,
        job: Job,
        root: PathBuf,
        directory: Arc<TempDir>,
        gate: Arc<Gate>,
    ) -> io::Result<Arc<Self>> {
        let live = Arc::new(Self { number, job, state: Mutex::default(), news: Notify::new() });
        let running = Arc::clone(&live);
        thread::Builder::new().name("run".to_owned()).spawn(move || {
            // Whoever waits for it would wait for ever.
            let all = panic::catch_unwind(AssertUnwindSafe(|| {
                running.all(&root, directory.path(), &gate)
            }));
            let all = all.unwrap_or_else(|_| bail!("cargo run has panicked, and says where"));
            let outcome = all.unwrap_or_else(|error| Outcome {
                progress: None,
                told: json!({ "failed": format!("{error:#}") }),
            });
            let mut state = running.state();
            state.outcome = Some(outcome);
            running.changed(state);
        })?;
        Ok(live)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, state: MutexGuard<'_, State>) {
        drop(state);
        self.news.notify_one();
    }

    /// Ends it, whatever it is at; why is told to the page.
    pub fn stop(&self, why: &'static str) {
        let mut state = self.state();
        if state.outcome.is_none() && state.stopped.is_none() {
            state.stopped = Some(why);
            if let Some(group) = state.group {
                let _ = killpg(group, Signal::SIGKILL);
            }
        }
    }

    /// Sends the program a signal of the reader's.
    ///
    /// # Errors
    ///
    /// If no program runs.
    pub fn send(&self, signal: Signal) -> Result<()> {
        let mut state = self.state();
        let (Some(group), Some(began), true) = (state.group, state.began, state.is_program) else {
            bail!("no program runs");
        };
        state.sent.push((began.elapsed(), signal));
        kill(group, signal).context("the program is gone")
    }

    /// What it is, in a line.
    pub fn told(&self) -> Value {
        json!({ "run": self.number, "command": self.job.commands[0] })
    }

    /// Whether it has come to its end.
    pub fn outcome(&self) -> Option<Outcome> {
        self.state().outcome.clone()
    }

    /// What the build has said since it was asked last.
    pub fn build_lines(&self) -> Vec<String> {
        mem::take(&mut self.state().build)
    }

    /// The picture of what has happened so far, if a program runs.
    pub fn picture(&self) -> Option<String> {
        let state = self.state();
        let began = state.began.filter(|_| state.is_program)?;
        let (stdout, stderr) = (readable(&state.stdout), readable(&state.stderr));
        let index = state.index;
        drop(state);
        let recording =
            Recording::so_far(last(stdout), last(stderr), began.elapsed().as_secs_f64());
        Some(self.figure(&recording, index).into_string())
    }

    fn figure(&self, recording: &Recording, index: usize) -> Markup {
        let run = &self.job.scenario.runs[index];
        let promised = match run.ends {
            Ends::At(time) => Some(time.as_secs_f64()),
            Ends::Never => None,
        };
        let command = html! { code { (self.job.commands[index]) } };
        let scenario = &self.job.id;
        let number = format!("{}-{index}", self.number);
        let drawn = Drawn { scenario, command, recording, run: Some((number, promised)) };
        timeline::spanning(&[drawn], promised.unwrap_or_default().max(0.01))
    }

    fn all(self: &Arc<Self>, root: &Path, directory: &Path, gate: &Gate) -> Result<Outcome> {
        let marker = match self.not_yet(root) {
            Ok(marker) => marker,
            Err(outcome) => return Ok(*outcome),
        };
        let command = self.command(root);
        if let Some(why) = self.state().stopped {
            let told = json!({ "failed": format!("Stopped: {why}.") });
            return Ok(Outcome { progress: None, told });
        }
        let command = match command? {
            Ok(command) => command,
            Err(message) => {
                let progress = self.is_exercise().then_some(Progress::Broken);
                return Ok(Outcome { progress, told: json!({ "failed": message }) });
            }
        };
        let is_empty = || fs::read_dir(directory).map_or(true, |mut files| files.next().is_none());
        let was_fresh = is_empty();
        let began = SystemTime::now() - TICK;
        // What was left by the press before is none of this one's doing.
        let is_new = |file: &File| {
            let changed = fs::metadata(directory.join(&file.name)).and_then(|file| file.modified());
            changed.is_ok_and(|changed| changed >= began)
        };
        let runs = &self.job.scenario.runs;
        let outside = temporary_directory()?;
        let ignored = Ignored::read(root);
        let (mut rans, mut pictures, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let (mut verdicts, mut values, mut at_the_end) = (Vec::new(), Vec::new(), Vec::new());
        for (index, promised) in runs.iter().enumerate() {
            self.state().index = index;
            let limit = Limit::of(self, directory);
            let out = outside.path().join(index.to_string());
            // The kernel calls each thread of Python like the interpreter.
            let tracer = match self.job.subject {
                Subject::Python(_) => None,
                _ => Some(&*out),
            };
            let mut ran = self.run(&command, tracer, directory, promised, gate)?;
            drop(limit);
            self.hold_to_its_limit(directory);
            // Before the next one changes what it has left.
            let Seen { recording: mut seen, ended, remark } = Seen::of(&ran, tracer)?;
            // The tracer takes a moment before the program begins, and sees its end when this process is stopped.
            if let (End::Ended { since_start, since_output }, Some(ended)) = (&mut ran.end, ended) {
                *since_start = ended.min(*since_start);
                *since_output = ended.min(*since_output);
            }
            seen.file.retain(is_new);
            let files_left_out = seen.file.len().saturating_sub(MOST_FILES);
            seen.file.truncate(MOST_FILES);
            pictures.push(html! {
                (self.figure(&seen, index))
                @if let Some(line) = &remark { p { (line) } }
                @if files_left_out > 0 { p { "It has left " (files_left_out) " more files." } }
            });
            // Nor would it then find in its files what it was promised.
            let mut broken = ran.breaks(promised);
            names = left_in(directory).unwrap_or_else(|gone| {
                broken.push(gone);
                Vec::new()
            });
            at_the_end = seen.file;
            verdicts.push((promised, broken));
            if index == 0 {
                values = offer::values(promised, &ran);
            }
            // As in the self-check: the next one would only take as long again.
            let is_hung = matches!(ran.end, End::Hung(_));
            rans.push(ran);
            let state = self.state();
            let is_over = state.stopped.is_some() || !state.sent.is_empty();
            drop(state);
            if is_hung || is_over || !directory.is_dir() {
                break;
            }
        }
        // What is there at the very end counts, of a program that came there by itself.
        if let (Some(ran), Some((_, broken))) = (rans.last(), verdicts.last_mut())
            && let Exit::Code(_) = ran.exit
        {
            broken.extend(ignored.left(&names));
        }
        let (sent, stopped) = {
            let state = self.state();
            (state.sent.clone(), state.stopped)
        };
        let is_late = rans.iter().zip(runs).any(|(ran, run)| ran.end.is_undecided(run.ends));
        let is_judged = stopped.is_none() && sent.is_empty() && !is_late;
        let is_kept = verdicts.iter().all(|(_, broken)| broken.is_empty());
        let progress = match (&self.job.subject, &marker) {
            (Subject::Exercise { .. }, Some(_)) => Some(Progress::NotStarted),
            (Subject::Exercise { .. }, None) if is_judged && is_kept => Some(Progress::Done),
            (Subject::Exercise { .. }, None) if is_judged => Some(Progress::Broken),
            _ => None,
        };
        let ran = rans.first().context("there was no run")?;
        let mut status = status(ran, stopped, &sent);
        match progress {
            Some(Progress::Done) => status.insert_str(0, "Done. "),
            Some(Progress::Broken) => status.insert_str(0, "Not yet. "),
            _ => {}
        }
        if is_late && stopped.is_none() && sent.is_empty() {
            let apart = in_seconds(APART);
            status.push_str(&format!(
                " It was late by less than {apart}, as a busy machine is: run it again."
            ));
        }
        let body = html! {
            @if let Some(line) = &marker { p { (line) } }
            @for picture in pictures { (picture) }
            @if matches!(runs[0].ends, Ends::At(_)) {
                p.legend { "The dashed line is the promised end." }
            }
            (left(directory, &at_the_end))
            @if is_judged {
                @for (number, (promised, broken)) in verdicts.iter().enumerate() {
                    @if number > 0 { p { "Run again in the same directory:" } }
                    (judged(promised, broken, &rans[number], was_fresh))
                }
            } @else if stopped.is_none() && !sent.is_empty() {
                p { "You have sent a signal: this run is shown, and not held against the promises." }
            }
        };
        // Nor is a prediction held against it.
        if stopped.is_some() || !sent.is_empty() {
            values.clear();
        }
        let kept = is_judged.then_some(is_kept);
        let told = json!({
            "done": body.into_string(), "status": status, "values": values, "kept": kept,
            // Of an exercise not even the directory is.
            "left": !self.is_exercise() && !is_empty(),
        });
        Ok(Outcome { progress, told })
    }

    /// Ends it if it has written more than it may.
    fn hold_to_its_limit(&self, directory: &Path) {
        let (temporary, group) = {
            let state = self.state();
            (state.temporary.clone(), state.group)
        };
        let temporary = temporary.map_or(0, |temporary| size(&temporary));
        let nameless = group.map_or(0, nameless);
        if size(directory).saturating_add(temporary).saturating_add(nameless) > MOST_BYTES {
            self.stop(TOO_MUCH);
        }
    }

    fn is_exercise(&self) -> bool {
        matches!(self.job.subject, Subject::Exercise { .. })
    }

    /// What to say of an exercise whose marker is still there; what came of one that is not there.
    fn not_yet(&self, root: &Path) -> Result<Option<String>, Box<Outcome>> {
        let Subject::Exercise { source, .. } = &self.job.subject else { return Ok(None) };
        let shown = source.display();
        if !root.join(source).is_file() {
            let told = format!(
                "{shown} is no longer there; `git restore {shown}` brings it back as it was"
            );
            let progress = Some(Progress::Broken);
            return Err(Box::new(Outcome { progress, told: json!({ "failed": told }) }));
        }
        Ok(marker(root, source).map(|line| {
            format!(
                "Not started: this is the exercise as it came. If you have begun it, delete the marker \
                 line {MARKER} in {shown}:{line}."
            )
        }))
    }

    /// Builds the program and gives its command, or what the compiler says.
    fn command(&self, root: &Path) -> Result<Result<(PathBuf, Vec<PathBuf>), String>> {
        let (package, program) = match &self.job.subject {
            Subject::Python(source) => {
                let toolchain =
                    Toolchain::find(Language::Python).map_err(|error| anyhow!(error))?;
                let needed = self.job.scenario.twins[&Language::Python];
                if toolchain.version < needed {
                    bail!("this takes Python {needed}, and python3 is {}", toolchain.version);
                }
                let source = root.join(source);
                return Ok(Ok((toolchain.path, vec!["-I".into(), "-S".into(), source])));
            }
            Subject::Program { package, program } | Subject::Exercise { package, program, .. } => {
                (package, program)
            }
        };
        let (mut programs, said) = self.build(root, package)?;
        Ok(match programs.remove(program) {
            Some(program) => Ok((program, Vec::new())),
            None => Err(said),
        })
    }

    /// Builds a package; gives its programs, and all that was said.
    fn build(&self, root: &Path, package: &str) -> Result<(Programs, String)> {
        let mut command = builder(root, self.job.scenario.profile);
        command.args(["--package", package]);
        let (reader, writer) = io::pipe()?;
        // Its escape codes would be shown as such.
        command.stderr(writer).env("CARGO_TERM_COLOR", "never").process_group(0);
        let building = Building::start(&mut command)?;
        let group = Pid::from_raw(building.id().cast_signed());
        {
            let mut state = self.state();
            state.group = Some(group);
            if state.stopped.is_some() {
                let _ = killpg(group, Signal::SIGKILL);
            }
        }
        // Its own end of the pipe would keep the reader waiting for ever.
        drop(command);
        let (programs, said) = thread::scope(|scope| {
            let said =
                thread::Builder::new().name("build".to_owned()).spawn_scoped(scope, || {
                    let mut said = String::new();
                    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                        let line = readable(&line).concat();
                        said.push_str(&line);
                        said.push('\n');
                        let mut state = self.state();
                        state.build.push(line);
                        self.changed(state);
                    }
                    said
                })?;
            let programs = building.programs();
            self.state().group = None;
            if self.state().stopped.is_some() {
                // What it has started has no other parent by now.
                let _ = killpg(group, Signal::SIGKILL);
                thread::sleep(LEAVES);
            }
            io::Result::Ok((programs, said.join().unwrap_or_default()))
        })?;
        match programs {
            Ok(programs) => Ok((programs, said)),
            Err(_) if !said.trim().is_empty() => Ok((Programs::new(), said)),
            Err(error) => Err(error),
        }
    }

    fn run(
        self: &Arc<Self>,
        (program, arguments): &(PathBuf, Vec<PathBuf>),
        tracer: Option<&Path>,
        directory: &Path,
        promised: &Run,
        gate: &Gate,
    ) -> Result<Ran> {
        let mut command = match tracer {
            Some(out) => beside::command(program, out),
            None => Command::new(program),
        };
        command.args(arguments);
        let observer: Arc<dyn Observer> = Arc::clone(self) as _;
        let start = Start { observer: Some(observer), ..command.into() };
        run(start, directory, promised, gate, Duration::ZERO).context("it cannot be run")
    }
}

/// How many bytes there are in the files of a directory.
fn size(directory: &Path) -> u64 {
    let entries = WalkDir::new(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).fold(0, u64::saturating_add)
}

/// How many bytes there are in the files that a process has open and that have no name any more.
fn nameless(process: Pid) -> u64 {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let files = open.filter_map(|open| fs::metadata(open.path()).ok());
    let files = files.filter(|file| file.is_file() && file.nlink() == 0);
    files.map(|file| file.len()).fold(0, u64::saturating_add)
}

/// Ends a run whose directories grow beyond what they may, for as long as this value is there.
struct Limit(Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>);

impl Limit {
    fn of(live: &Arc<Live>, directory: &Path) -> Self {
        let (over, is_over) = mpsc::channel();
        let (live, directory) = (Arc::clone(live), directory.to_owned());
        let watching = thread::Builder::new().name("limit".to_owned()).spawn(move || {
            while is_over.recv_timeout(LOOKS) == Err(RecvTimeoutError::Timeout) {
                live.hold_to_its_limit(&directory);
            }
        });
        // Without it, the run has its limit of time.
        Self(watching.ok().map(|watching| (over, watching)))
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some((over, watching)) = self.0.take() {
            drop(over);
            let _ = watching.join();
        }
    }
}

/// The first and the last lines of many.
fn shortened(mut lines: Vec<String>) -> Vec<String> {
    let left_out = lines.len().saturating_sub(2 * MOST_LINES);
    if left_out > 0 {
        let more = format!("… {left_out} lines …");
        lines.splice(MOST_LINES..MOST_LINES + left_out, [more]);
    }
    lines
}

fn last(lines: Vec<String>) -> Vec<String> {
    let first = lines.len().saturating_sub(MOST_LINES);
    lines.into_iter().skip(first).collect()
}

/// What a run did.
struct Seen {
    recording: Recording,
    /// When the tracer saw it end, to more than the hundredths of a recording.
    ended: Option<Duration>,
    /// Why its threads were not seen, if they were not.
    remark: Option<String>,
}

impl Seen {
    /// Of a line a terminal's commands are shown as such, and of many lines the first and the last.
    fn of(ran: &Ran, tracer: Option<&Path>) -> Result<Self> {
        let seen = tracer.map(|out| match out.exists() {
            true => beside::told(out),
            // The run is over, and its tracer with it: what it has not written by now will never come.
            false => Err(beside::SILENT.to_owned()),
        });
        let ended = seen.as_ref().and_then(|seen| seen.as_ref().ok()).map(|trace| trace.ended);
        let (recording, why) = match seen {
            None => (Recording::of(ran, None)?, None),
            Some(Err(why)) => (Recording::of(ran, None)?, Some(why)),
            Some(Ok(trace)) => match Recording::of(ran, Some(trace)) {
                Ok(recording) => (recording, None),
                Err(why) => (Recording::of(ran, None)?, Some(why.to_string())),
            },
        };
        let shown = |lines: Vec<String>| {
            shortened(lines.iter().flat_map(|line| readable(line.as_bytes())).collect())
        };
        let (stdout, stderr) = (shown(recording.stdout), shown(recording.stderr));
        let remark = why.map(|why| format!("How its threads ended was not seen: {why}."));
        let ended = ended.and_then(|ended| Duration::try_from_secs_f64(ended).ok());
        Ok(Self { recording: Recording { stdout, stderr, ..recording }, ended, remark })
    }
}

/// The files that are there at the end, with their first lines.
fn left(directory: &Path, files: &[File]) -> Markup {
    let lines = |name: &str| {
        let mut beginning = Vec::new();
        let file = fs::File::open(directory.join(name)).ok()?;
        file.take(MOST_OF_A_FILE).read_to_end(&mut beginning).ok()?;
        let is_text = !beginning.contains(&0);
        Some(readable(&beginning)).filter(|lines| is_text && !lines.is_empty())
    };
    html! {
        @for file in files.iter().take(MOST_FILES) {
            details {
                summary { code { (file.name) } ", " (file.size) " bytes" }
                @if let Some(lines) = lines(&file.name) {
                    pre { @for line in lines.iter().take(MOST_OF_ITS_LINES) { (line) "\n" } }
                }
            }
        }
    }
}

/// How a run ended, in one sentence.
fn status(ran: &Ran, stopped: Option<&str>, sent: &[(Duration, Signal)]) -> String {
    let seconds = |time: Duration| in_seconds(rounded(time));
    let mut status = match (stopped, ran.end, ran.exit) {
        (Some(why), ..) => format!("Stopped: {why}."),
        (None, End::Ended { since_start, .. }, Exit::Code(code)) => {
            format!("It ended after {} with exit code {code}.", seconds(since_start))
        }
        (None, End::Ended { since_start, .. }, signal) => {
            format!("{signal} ended it after {}.", seconds(since_start))
        }
        (None, End::Alive, _) => "It would go on; it was ended here.".to_owned(),
        (None, End::Hung(_), _) if ran.stdout.len() + ran.stderr.len() > MOST_OUTPUT => {
            format!("It had printed more than {} MiB, and was ended.", MOST_OUTPUT >> 20)
        }
        (None, End::Hung(after), _) => {
            format!("It still ran after {}, and was ended.", seconds(after))
        }
    };
    for (at, signal) in sent {
        // The times are of two clocks.
        let at = match ran.end {
            End::Ended { since_start, .. } => (*at).min(since_start),
            _ => *at,
        };
        status.push_str(&format!(" You sent {signal} at {}.", seconds(at)));
    }
    status
}

/// What was promised of a run, and whether it was kept.
fn judged(promised: &Run, broken: &[Broken], ran: &Ran, was_fresh: bool) -> Markup {
    let but = |id: &str| broken.iter().find(|one| one.id == id).map(|one| &one.but);
    let known: Vec<_> = promised.promises.iter().map(Promise::id).collect();
    let others = broken.iter().filter(|one| !known.contains(&one.id));
    html! {
        @for send in &promised.send {
            p { "Sent from here: " (send.signal) " " (inline(&send.when.words())) "." }
        }
        table.kept {
            caption { "What was promised, and this run" }
            thead { tr { th scope="col" { "promised" } th scope="col" { "this run" } } }
            tbody {
                @for promise in &promised.promises {
                    tr {
                        th scope="row" { (inline(&promise.subject())) " " (inline(&promise.words())) }
                        td {
                            @match (promise, ran.end) {
                                (Promise::Exit(_), End::Hung(_)) => "it did not end",
                                _ => (mark(but(&promise.id()))),
                            }
                        }
                    }
                }
                @for Broken { promised, but, .. } in others {
                    tr { th scope="row" { (promised) } td { (mark(Some(but))) } }
                }
            }
        }
        @if !was_fresh && !broken.is_empty() {
            p { "Files of an earlier run were there: " em { "start over" } " runs it without them." }
        }
    }
}

fn mark(but: Option<&String>) -> Markup {
    html! {
        @match but {
            None => span.yes { "kept" },
            Some(but) => { span.no { "not kept:" } " " (readable(but.as_bytes()).join(" ")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use workbook::promise::{Send, When};

    use super::*;

    fn ended(after: Duration, directory: &Path) -> Ran {
        Ran {
            end: End::Ended { since_start: after, since_output: after },
            exit: Exit::Code(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
            silent: None,
            unsent: Vec::new(),
            asked: Vec::new(),
            signals: Default::default(),
            left_behind: Vec::new(),
            temporary: Vec::new(),
            directory: directory.to_owned(),
        }
    }

    #[test]
    fn when_a_run_ended_is_not_rounded() -> Result<()> {
        let place = TempDir::new()?;
        let out = place.path().join("out");
        fs::write(&out, "[seen]\nthreads = []\nended = 4.396\n")?;
        let after = Duration::from_secs(5);
        let ran = ended(after, place.path());
        let seen = Seen::of(&ran, Some(&out))?;
        assert_eq!((seen.recording.ended, seen.remark), (4.4, None));
        // That is before a promised end at 4.4 s, for the self-check as well.
        assert_eq!(seen.ended, Some(Duration::from_millis(4396)));
        Ok(())
    }

    #[test]
    fn what_the_server_has_sent_is_told() {
        let when = When::After("ready".to_owned());
        let promised = Run {
            args: Vec::new(),
            send: vec![Send { signal: Signal::SIGTERM, when }],
            ends: Ends::Never,
            promises: Vec::new(),
        };
        let ran = ended(Duration::from_secs(5), Path::new("."));
        let told = judged(&promised, &[], &ran, true).into_string();
        assert!(
            told.starts_with("<p>Sent from here: SIGTERM after the line <code>ready</code>.</p>"),
            "{told}"
        );
    }
}
