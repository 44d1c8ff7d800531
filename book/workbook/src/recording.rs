//! Recordings: what a lesson's program did in one real run, kept in `book/recordings/`.
//!
//! The program tells its log lines itself. What it does not tell comes from a tracer beside it: when threads
//! are born, whom they wait for, and whether they end or are cut off with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io;
use std::iter;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use lesson_log::LogLine;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::promise::judge::{End, Kept, Ran, reason};
use crate::promise::{Exit, Promise, Run, STILL_ALIVE};
use crate::run::{Gate, run};
use crate::trace::{self, Trace};
use crate::tracer::beside;

/// The most bytes of a file that are read.
const MOST_OF_A_FILE: u64 = 8 << 20;

/// One run of a program. Times are seconds since its start, rounded to a hundredth, so that a new
/// recording of an unchanged program differs little or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// When the process ended.
    pub ended: f64,
    /// Its exit code, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The signal that ended it; without this and an exit code, the recorder ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// The thread that ended the process, unless a signal did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// What it printed on stdout, log lines with their times rounded.
    pub stdout: Vec<String>,
    /// What it printed on stderr.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stderr: Vec<String>,
    /// Its threads, in the order of their birth.
    pub thread: Vec<Thread>,
    /// The files that it left, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file: Vec<File>,
    /// Whether the program still runs: this is what it has done so far.
    #[serde(skip)]
    pub under_way: bool,
}

/// The life of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// When it was born.
    pub born: f64,
    /// When it ended by itself; without this it was cut off at the end of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<f64>,
    /// When it waited, and for whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wait: Vec<Wait>,
    /// How it ended, where whoever has it drawn knows more; it is not kept.
    #[serde(skip)]
    pub told: Option<String>,
}

/// A time in which a thread could not go on by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// The thread that it joins; without this it waits for a lock, a channel or a scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joins: Option<String>,
}

/// A file that a run left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its whole lines.
    pub lines: usize,
    /// Whether an unfinished line follows them.
    pub torn: bool,
    /// Its last lines, three at most.
    pub last: Vec<String>,
}

impl Recording {
    /// The file of a scenario's recording, relative to the root.
    pub fn path(scenario: &str) -> PathBuf {
        Path::new("book/recordings").join(format!("{}.toml", scenario.replace("::", ".")))
    }

    /// Reads the recording of a scenario.
    ///
    /// # Errors
    ///
    /// If there is none or it is none: what to do about it.
    pub fn load(root: &Path, scenario: &str) -> Result<Self> {
        let path = Self::path(scenario);
        let renew = format!("cargo run -- record {}", lesson_of(scenario));
        let text = match fs::read_to_string(root.join(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("{} is missing; `{renew}` makes it", path.display())
            }
            text => text.with_context(|| path.display().to_string())?,
        };
        toml::from_str(&text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            anyhow!("{}: {message}; `{renew}` makes it anew", path.display())
        })
    }

    /// Stores it as the recording of a scenario, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn store(&self, root: &Path, scenario: &str) -> Result<()> {
        let path = root.join(Self::path(scenario));
        let directory = path.parent().context("a path without a directory")?;
        fs::create_dir_all(directory)?;
        // Readable by whoever reads the others.
        let permissions = Permissions::from_mode(0o644);
        let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(directory)?;
        let head =
            format!("# One real run, made by `cargo run -- record {}`.\n\n", lesson_of(scenario));
        io::Write::write_all(&mut file, (head + &toml::to_string_pretty(self)?).as_bytes())?;
        file.persist(path)?;
        Ok(())
    }

    /// Whether this machine can make recordings.
    ///
    /// # Errors
    ///
    /// What is missing, and what can be done without it.
    pub fn can_be_made() -> Result<()> {
        beside::is_allowed().map_err(|why| {
            anyhow!(
                "cannot record here: {why}; the recordings that are there can be shown and checked"
            )
        })
    }

    /// Runs a program with a tracer beside it and tells what happened.
    ///
    /// # Errors
    ///
    /// If its threads cannot be seen, or it does not end as its run promises.
    pub fn make(program: &Path, promised: &Run) -> Result<Self> {
        let outside = tempfile::tempdir()?;
        let out = outside.path().join("trace");
        let directory = tempfile::tempdir()?;
        let command = beside::command(program, &out);
        let ran = run(command, directory.path(), promised, &Gate::new(), Duration::ZERO)?;
        if let End::Hung(after) = ran.end {
            bail!("it was still running after {:.1} s", after.as_secs_f64());
        }
        let trace = beside::told(&out)
            .map_err(|why| anyhow!("what its threads did was not seen: {why}"))?;
        let recording = Self::of(&ran, Some(trace))?;
        ensure!(
            recording.ends_as(promised),
            "it does not end as its chapter promises, but at {} s; `cargo test` tells more",
            recording.ended
        );
        Ok(recording)
    }

    /// What a program has done in so many seconds, by what it has printed: a thread is known from its
    /// first line on, and nobody knows yet how it ends.
    pub fn so_far(stdout: Vec<String>, stderr: Vec<String>, seconds: f64) -> Self {
        let lines = || stdout.iter().filter_map(|line| line.parse::<LogLine>().ok());
        let last = lines().map(|line| line.at.as_secs_f64()).fold(seconds, f64::max);
        let mut thread = logged(lines());
        for thread in &mut thread {
            thread.told = Some("runs".to_owned());
        }
        Self {
            ended: last,
            exit: None,
            signal: None,
            ended_by: None,
            thread,
            stdout,
            stderr,
            file: Vec::new(),
            under_way: true,
        }
    }

    /// What happened in a run, as long as its directory is there.
    ///
    /// Where nothing was traced ([`beside::told`] says why) its threads are those that logged, each from its
    /// first line on, and nothing is said of their ends.
    ///
    /// # Errors
    ///
    /// If two of its threads cannot be told apart.
    pub fn of(ran: &Ran, trace: Option<Trace>) -> Result<Self> {
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let stdout: Vec<_> = stdout
            .lines()
            .map(|line| match line.parse::<LogLine>() {
                Ok(log) => LogLine { at: rounded_time(log.at), ..log }.to_string(),
                Err(_) => line.to_owned(),
            })
            .collect();
        let lines = || stdout.iter().filter_map(|line| line.parse::<LogLine>().ok());
        let (exit, signal) = match ran.exit {
            Exit::Code(code) => (Some(code), None),
            // The recorder's.
            Exit::Signal(_) if matches!(ran.end, End::Alive | End::Hung(_)) => (None, None),
            signal @ Exit::Signal(_) => (None, Some(signal.to_string())),
        };
        let (ended, ended_by, thread) = match trace {
            Some(trace) => seen(trace, lines())?,
            None => {
                let last = lines().map(|line| line.at).max().unwrap_or_default();
                let ended = match ran.end {
                    End::Ended { since_start: after, .. } | End::Hung(after) => after.max(last),
                    End::Alive => last + STILL_ALIVE,
                };
                (rounded(ended.as_secs_f64()), None, logged(lines()))
            }
        };
        Ok(Self {
            ended,
            exit,
            signal,
            ended_by,
            stderr: without_ids(&String::from_utf8_lossy(&ran.stderr)),
            thread,
            // There is none where the program has removed it.
            file: files(&ran.directory).unwrap_or_default(),
            stdout,
            under_way: false,
        })
    }

    /// The log lines on stdout.
    pub fn log(&self) -> impl Iterator<Item = LogLine> {
        self.stdout.iter().filter_map(|line| line.parse().ok())
    }

    /// Whether the program would have gone on: the recorder ended it.
    pub fn goes_on(&self) -> bool {
        self.exit.is_none() && self.signal.is_none()
    }

    /// Whether a thread was cut off, at the end of the process or of the recording.
    pub fn cuts(&self, thread: &Thread) -> bool {
        thread.returned.is_none() && self.ended_by.as_ref() != Some(&thread.name)
    }

    /// Whether it ends when, and as, a run promises.
    pub fn ends_as(&self, promised: &Run) -> bool {
        let ended = Duration::from_secs_f64(self.ended);
        let end = match self.goes_on() {
            true => End::Alive,
            false => End::Ended { since_start: ended, since_output: ended },
        };
        reason(&Kept(&promised.ends), &end).is_none()
            && promised.promises.iter().all(|promise| match promise {
                Promise::Exit(Exit::Code(code)) => self.exit == Some(*code),
                Promise::Exit(exit) => self.signal == Some(exit.to_string()),
                _ => true,
            })
    }

    /// Holds the recording against what a fresh run printed: the same threads log the same lines
    /// in the same order; of a thread that is cut off, one run's lines begin the other's. Numbers
    /// that a promise gives a range are not compared.
    ///
    /// # Errors
    ///
    /// What differs.
    pub fn tells_the_story_of(&self, printed: &str, promised: &Run) -> Result<(), String> {
        let mask = |text| promised.promises.iter().fold(text, |text, promise| promise.mask(text));
        let by_thread = |lines: &mut dyn Iterator<Item = LogLine>| {
            let mut threads: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for line in lines {
                threads.entry(line.thread).or_default().push(mask(line.text));
            }
            threads
        };
        let recorded = by_thread(&mut self.log());
        let fresh = by_thread(&mut printed.lines().filter_map(|line| line.parse().ok()));
        let (then, now): (BTreeSet<_>, BTreeSet<_>) =
            (recorded.keys().collect(), fresh.keys().collect());
        if let Some(name) = then.symmetric_difference(&now).next() {
            let run = if then.contains(name) { "recorded" } else { "fresh" };
            return Err(format!("thread `{name}` logs only in the {run} run"));
        }
        for (name, then) in &recorded {
            let now = &fresh[name];
            let is_cut = self.thread.iter().any(|thread| thread.name == *name && self.cuts(thread));
            let same = if is_cut {
                then.iter().zip(now).all(|(then, now)| then == now)
            } else {
                then == now
            };
            if !same {
                return Err(format!("thread `{name}` logged {then:?} then and {now:?} now"));
            }
        }
        Ok(())
    }
}

/// The lesson that a scenario belongs to.
pub fn lesson_of(scenario: &str) -> &str {
    scenario.split_once("::").map_or(scenario, |(lesson, _)| lesson)
}

/// The end, by whom, and the threads, as a tracer saw them: names as in the log, times rounded.
fn seen(
    trace: Trace,
    lines: impl Iterator<Item = LogLine>,
) -> Result<(f64, Option<String>, Vec<Thread>)> {
    // The kernel keeps 15 bytes of a thread's name, the log all of it.
    let mut full = BTreeMap::new();
    for line in lines {
        if let Some((kernel, _)) = line.thread.split_at_checked(15) {
            let known: &mut BTreeSet<String> = full.entry(kernel.to_owned()).or_default();
            known.insert(line.thread);
        }
    }
    if let Some((kernel, names)) = full.iter().find(|(_, names)| names.len() > 1) {
        bail!("{names:?} cannot be told apart: the kernel calls each of them {kernel:?}");
    }
    let full = |kernel: &str| {
        let name = full.get(kernel).and_then(BTreeSet::first);
        name.map_or_else(|| kernel.to_owned(), String::clone)
    };
    let wait = |wait: trace::Wait| Wait {
        from: rounded(wait.from),
        to: rounded(wait.to),
        joins: wait.joins.as_deref().map(full),
    };
    let thread = |thread: trace::Thread| Thread {
        name: full(&thread.name),
        born: rounded(thread.born),
        returned: thread.returned.map(rounded),
        // Shorter than a hundredth is nothing that a picture could show.
        wait: thread.waits.into_iter().map(wait).filter(|wait| wait.from < wait.to).collect(),
        told: None,
    };
    let threads = trace.threads.into_iter().map(thread).collect();
    Ok((rounded(trace.ended), trace.ended_by.as_deref().map(full), threads))
}

/// The threads that logged, from their first line on; `main` is there from the beginning.
fn logged(lines: impl Iterator<Item = LogLine>) -> Vec<Thread> {
    let main = (Duration::ZERO, "main".to_owned());
    let mut threads: Vec<Thread> = Vec::new();
    for (at, name) in iter::once(main).chain(lines.map(|line| (line.at, line.thread))) {
        if threads.iter().all(|thread| thread.name != name) {
            let told = Some("its end was not seen".to_owned());
            let born = rounded(at.as_secs_f64());
            threads.push(Thread { name, born, returned: None, wait: Vec::new(), told });
        }
    }
    threads
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

fn rounded_time(time: Duration) -> Duration {
    // A program may print any time.
    Duration::from_millis(u64::try_from((time.as_millis() + 5) / 10 * 10).unwrap_or(u64::MAX))
}

/// Lines of standard error; the thread ids in panic messages differ from run to run.
fn without_ids(stderr: &str) -> Vec<String> {
    static ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"' \(\d+\) panicked").expect("a regular expression"));
    stderr.lines().map(|line| ID.replace(line, "' panicked").into_owned()).collect()
}

/// The files in a directory, by name.
///
/// # Errors
///
/// If the directory or one of its files cannot be read.
pub fn files(directory: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let size = entry.metadata()?.len();
        let is_much = size > MOST_OF_A_FILE;
        // The program may have closed it to its owner.
        let bytes = if is_much { Vec::new() } else { fs::read(entry.path()).unwrap_or_default() };
        // What is no text, a database for instance, has a size and no lines; nor has what is too much to be
        // read, such as a hole of a terabyte.
        let text = if bytes.contains(&0) { "".into() } else { String::from_utf8_lossy(&bytes) };
        let lines: Vec<&str> = text.lines().collect();
        files.push(File {
            name: entry.file_name().to_string_lossy().into_owned(),
            size,
            lines: text.matches('\n').count(),
            torn: !text.is_empty() && !text.ends_with('\n'),
            last: lines[lines.len().saturating_sub(3)..]
                .iter()
                .map(|line| (*line).to_owned())
                .collect(),
        });
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Scenario;

    const RECORDED: &str = r#"
        ended = 2.5
        exit = 0
        ended_by = "main"
        stdout = [" 0.000s main       start", " 0.000s beat       1", " 1.000s beat       2", "plain"]
        thread = [{ name = "main", born = 0.0 }, { name = "beat", born = 0.0 }]
    "#;

    fn story(printed: &str, promised: &str) -> Result<(), String> {
        let recording: Recording = toml::from_str(RECORDED).expect("a recording");
        let scenario = Scenario::parse(promised).expect("a scenario");
        recording.tells_the_story_of(printed, &scenario.runs[0])
    }

    const PROMISED: &str = "ends = 2.5\nexit = 0";
    const MAIN: &str = " 0.001s main       start\n";

    #[test]
    fn a_thread_that_is_cut_may_have_come_further_or_less_far() {
        let beat = |count: u32| -> String {
            (1..=count).map(|beat| format!(" 0.123s beat       {beat}\n")).collect()
        };
        for count in 1..4 {
            assert_eq!(story(&(MAIN.to_owned() + &beat(count)), PROMISED), Ok(()), "{count} beats");
        }
        assert_eq!(
            story(MAIN, PROMISED),
            Err("thread `beat` logs only in the recorded run".to_owned())
        );
        assert_eq!(
            story(&(beat(2) + MAIN + " 0.5s extra      x\n 0.500s extra      x\n"), PROMISED),
            Err("thread `extra` logs only in the fresh run".to_owned())
        );
        let other = MAIN.to_owned() + " 0.000s beat       1\n 1.000s beat       3\n";
        assert_eq!(
            story(&other, PROMISED),
            Err("thread `beat` logged [\"1\", \"2\"] then and [\"1\", \"3\"] now".to_owned())
        );
    }

    #[test]
    fn a_thread_that_ends_by_itself_logs_all_its_lines() {
        let more = MAIN.to_owned() + " 0.000s beat       1\n 2.000s main       more\n";
        assert_eq!(
            story(&more, PROMISED),
            Err("thread `main` logged [\"start\"] then and [\"start\", \"more\"] now".to_owned())
        );
    }

    #[test]
    fn a_number_with_a_range_may_differ() {
        let promised = "ends = 2.5\nexit = 0\n[[stdout]]\nhas = \"kept {} of 9\"\nfigure = [0, 9]";
        let scenario = Scenario::parse(promised).expect("a scenario");
        let recording: Recording = toml::from_str(
            &RECORDED.replace("\" 0.000s main       start\"", "\" 0.000s main       kept 4 of 9\""),
        )
        .expect("a recording");
        let beat = " 0.000s beat       1\n 1.000s beat       2\n";
        let fresh = |text: &str| {
            let printed = format!(" 0.000s main       {text}\n{beat}");
            recording.tells_the_story_of(&printed, &scenario.runs[0])
        };
        assert_eq!(fresh("kept 5 of 9"), Ok(()));
        assert!(fresh("kept 5 of 8").is_err());
    }

    #[test]
    fn an_end_at_another_time_or_in_another_way_is_told() {
        let recording: Recording = toml::from_str(RECORDED).expect("a recording");
        let ends = |promised: &str| {
            recording.ends_as(&Scenario::parse(promised).expect("a scenario").runs[0])
        };
        assert!(ends("ends = 2.5\nexit = 0"));
        assert!(ends("ends = 2.1\nexit = 0"));
        assert!(!ends("ends = 2.6\nexit = 0"));
        assert!(!ends("ends = 1.9\nexit = 0"));
        assert!(!ends("ends = 2.5\nexit = 3"));
        assert!(!ends("ends = 2.5\nsignal = \"SIGTERM\""));
        assert!(!ends("ends = \"never\""));
    }

    #[test]
    fn what_differs_from_run_to_run_is_not_kept() {
        let stderr = "thread 'main' (29952) panicked at src/main.rs:3:5:\nboom\n";
        assert_eq!(without_ids(stderr), ["thread 'main' panicked at src/main.rs:3:5:", "boom"]);
        assert_eq!(rounded_time(Duration::from_millis(1994)), Duration::from_millis(1990));
        assert_eq!(rounded_time(Duration::from_millis(1995)), Duration::from_millis(2000));
    }

    #[test]
    fn a_file_that_is_no_text_has_no_lines() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("a.db"), b"SQLite\0one\ntwo\n").expect("a file");
        fs::write(directory.path().join("b.txt"), "one\ntw").expect("a file");
        let left: Vec<_> = files(directory.path())
            .expect("two files")
            .into_iter()
            .map(|file| (file.name, file.size, file.lines, file.torn, file.last.len()))
            .collect();
        let expected = [("a.db".to_owned(), 15, 0, false, 0), ("b.txt".to_owned(), 6, 1, true, 2)];
        assert_eq!(left, expected);
    }

    /// A run that printed this and ended after 2 s by itself, and what its tracer's file holds.
    fn told(end: End, traced: &str) -> Result<Recording> {
        let outside = tempfile::tempdir()?;
        let out = outside.path().join("trace");
        fs::write(&out, traced)?;
        let directory = tempfile::tempdir()?;
        fs::write(directory.path().join("left.txt"), "one\n")?;
        let stdout = " 0.104s settlement-with-the-bank begins
 0.501s main       my own work is done
 1.996s settlement-with-the-bank half of it
no log line
";
        let ran = Ran {
            end,
            exit: Exit::Code(3),
            stdout: stdout.into(),
            stderr: "thread 'main' (29952) panicked at src/main.rs:3:5:\n".into(),
            silent: None,
            unsent: Vec::new(),
            asked: Vec::new(),
            signals: BTreeSet::new(),
            left_behind: Vec::new(),
            temporary: Vec::new(),
            directory: directory.path().to_owned(),
        };
        Recording::of(&ran, beside::told(&out).ok())
    }

    const AFTER_2_S: End = End::Ended {
        since_start: Duration::from_millis(2014),
        since_output: Duration::from_secs(2),
    };

    #[test]
    fn a_run_is_told_with_what_its_tracer_saw() -> Result<()> {
        let seen = r#"
            [seen]
            ended = 2.0012
            ended_by = "main"
            [[seen.threads]]
            name = "main"
            born = 0.0
            waits = [
                { from = 0.5012, to = 1.9993, joins = "settlement-with" },
                { from = 2.0004, to = 2.0008 },
            ]
            [[seen.threads]]
            name = "settlement-with"
            born = 0.0017
            returned = 1.9994
            waits = []
        "#;
        let recording = told(AFTER_2_S, seen)?;
        assert_eq!((recording.ended, recording.exit), (2.0, Some(3)));
        assert_eq!(recording.ended_by.as_deref(), Some("main"));
        let [main, bank] = &recording.thread[..] else { bail!("{recording:?}") };
        let joins = Some("settlement-with-the-bank".to_owned());
        assert_eq!(main.wait, [Wait { from: 0.5, to: 2.0, joins: joins.clone() }]);
        assert_eq!((Some(&bank.name), bank.returned), (joins.as_ref(), Some(2.0)));
        assert_eq!(recording.stderr, ["thread 'main' panicked at src/main.rs:3:5:"]);
        assert_eq!((recording.file[0].name.as_str(), recording.file[0].size), ("left.txt", 4));
        assert_eq!(recording.stdout[2], " 2.000s settlement-with-the-bank half of it");
        Ok(())
    }

    #[test]
    fn without_a_tracer_threads_are_those_that_log_and_no_end_is_told() -> Result<()> {
        let refused = "refused = \"the system does not let one process trace another\"";
        let recording = told(AFTER_2_S, refused)?;
        assert_eq!((recording.ended, recording.exit, &recording.ended_by), (2.01, Some(3), &None));
        let lives: Vec<_> = recording
            .thread
            .iter()
            .map(|thread| (thread.name.as_str(), thread.born, thread.returned))
            .collect();
        assert_eq!(lives, [("main", 0.0, None), ("settlement-with-the-bank", 0.1, None)]);
        assert!(recording.thread.iter().all(|thread| thread.told.is_some()));
        // Of one that was ended the last line tells how long it lived at least.
        assert_eq!(told(End::Alive, refused)?.ended, 2.0 + STILL_ALIVE.as_secs_f64());
        assert_eq!(told(End::Hung(Duration::from_secs(8)), refused)?.ended, 8.0);
        Ok(())
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let missing = Recording::load(root.path(), "beat::joined").expect_err("nothing is there");
        assert_eq!(
            missing.to_string(),
            "book/recordings/beat.joined.toml is missing; `cargo run -- record beat` makes it"
        );
        let recording: Recording = toml::from_str(RECORDED).expect("a recording");
        recording.store(root.path(), "beat::joined").expect("a file");
        assert_eq!(Recording::load(root.path(), "beat::joined").expect("a recording"), recording);
    }
}
