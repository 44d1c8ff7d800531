//! What the chapters promise, where programs have other surroundings than on a developer's machine: nobody
//! reads what they print, few descriptors or threads are to be had, a second copy runs beside them.
//!
//! Each trial is a lesson under one condition, and runs all its Rust programs that are promised to end with
//! exit code 0, the solution too. The same promises hold, as far as they can be seen; where a condition
//! takes something away that a program needs, it may refuse instead, with one line and an exit code of
//! its own. `surroundings.toml` lists what holds otherwise, and why.
//!
//! `cargo test -p named --test surroundings`, or `… --test surroundings heartbeat` for one lesson, or
//! `… --test surroundings ::full` for one condition.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use named::rounds::all_at_once;
use named::self_check::end_with_this_process;
use named::tools::{loaded, on_path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use signal_hook::iterator::Signals;
use workbook::page::Block;
use workbook::programs::{self, Programs};
use workbook::promise::judge::{Broken, End, Ran, texts};
use workbook::promise::{
    Ends, Exit, FilePromise, LinePromise, Lines, Profile, Promise, Run, Scenario, Stream,
    TOLERANCE, When,
};
use workbook::run::{AT_ONCE, Gate, Start, all_is_over, run, temporary_directory};
use workbook::verdict;
use workbook::workbook::{Chapter, Workbook};

const LIST: &str = "tests/named/surroundings.toml";

/// Other surroundings.
struct Condition {
    name: &'static str,
    /// What is so, in words.
    what: &'static str,
    how: How,
    /// What nobody can read under it.
    unread: &'static [Stream],
    /// Whether a program may say in one line that it cannot work, and end with an exit code.
    may_refuse: bool,
    /// Whether a program that refuses leaves old files as they were.
    keeps_files: bool,
    /// The signal by which the system itself may end it.
    ended_by: Option<Signal>,
}

/// How they are made.
enum How {
    /// What is unread is a pipe whose reader goes away.
    DeadPipe,
    /// A shell does this, and then becomes the program: `"$0"` with `"$@"`.
    Shell(&'static str),
    /// So, after a blank line, which tells the check that the program starts: nothing else does.
    Unseen(&'static str),
    /// The name of a file that it takes as an argument is no UTF-8.
    FileName,
    /// A second one starts in the same directory, 50 ms later.
    SecondCopy,
    /// Or when most of its time is over.
    LateCopy,
    /// It is the first process of a PID namespace.
    Process1,
}

const BOTH: &[Stream] = &[Stream::Stdout, Stream::Stderr];

const CONDITIONS: [Condition; 14] = [
    Condition {
        name: "dead-pipes",
        what: "both outputs are pipes whose reader has gone",
        how: How::DeadPipe,
        unread: BOTH,
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "dead-stdout",
        what: "stdout is a pipe whose reader has gone",
        how: How::DeadPipe,
        unread: &[Stream::Stdout],
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "dead-stderr",
        what: "stderr is a pipe whose reader has gone",
        how: How::DeadPipe,
        unread: &[Stream::Stderr],
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "closed",
        what: "stdin, stdout and stderr are closed",
        how: How::Unseen("exec \"$0\" \"$@\" <&- >&- 2>&-"),
        unread: BOTH,
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "full",
        what: "both outputs are /dev/full",
        how: How::Unseen("exec \"$0\" \"$@\" >/dev/full 2>&1"),
        unread: BOTH,
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "sigint-ignored",
        what: "SIGINT is ignored from the start, as behind a script's `&`",
        how: How::Shell("trap '' INT; exec \"$0\" \"$@\""),
        unread: &[],
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "descriptors",
        what: "16 descriptors are all there are",
        how: How::Shell("ulimit -n 16; exec \"$0\" \"$@\""),
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: None,
    },
    // A stack of 2 GB, and address space for as many as are said.
    Condition {
        name: "no-thread",
        what: "no thread can be started",
        how: How::Shell("export RUST_MIN_STACK=2147483648; ulimit -v 1572864; exec \"$0\" \"$@\""),
        unread: &[],
        may_refuse: true,
        keeps_files: true,
        ended_by: None,
    },
    Condition {
        name: "one-thread",
        what: "one thread can be started, and no second one beside it",
        how: How::Shell("export RUST_MIN_STACK=2147483648; ulimit -v 3670016; exec \"$0\" \"$@\""),
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "file-size",
        what: "no file may grow, with SIGXFSZ as the system has it",
        how: How::Shell("ulimit -f 0; exec \"$0\" \"$@\""),
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: Some(Signal::SIGXFSZ),
    },
    Condition {
        name: "file-name",
        what: "the name of a file that it takes as an argument is no UTF-8",
        how: How::FileName,
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "second-copy",
        what: "a second copy starts 50 ms later in the same directory",
        how: How::SecondCopy,
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "late-copy",
        what: "a second copy starts in the same directory when most of the first one's time is over",
        how: How::LateCopy,
        unread: &[],
        may_refuse: true,
        keeps_files: false,
        ended_by: None,
    },
    Condition {
        name: "process-1",
        what: "it is process 1",
        how: How::Process1,
        unread: &[],
        may_refuse: false,
        keeps_files: false,
        ended_by: None,
    },
];

/// A file name by which a program is asked whether it takes one.
const NAME: &str = "note";

/// One that is no UTF-8, and how it is shown.
const NO_TEXT: &[u8] = b"not\xe9";
const NO_TEXT_SHOWN: &str = "not\u{fffd}";

/// What stands in an old file.
const OLD: &str = "old";

/// Between the start of a program and that of its second copy.
const LATER: Duration = Duration::from_millis(50);

/// This program under another name: it starts another one as process 1.
const AS_PROCESS_1: &str = "as-process-1";

/// A PID namespace. Its processes end with `unshare`.
const CONTAINER: [&str; 5] = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    if words.next().is_some_and(|word| word == AS_PROCESS_1) {
        let mut unshare = Command::new("unshare");
        return contain(unshare.args(CONTAINER).args(words)).unwrap_or(ExitCode::FAILURE);
    }
    let arguments = Arguments::from_args();
    let workbook = match loaded() {
        Ok(workbook) => workbook,
        Err(code) => return code,
    };
    test(&arguments, &workbook).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// Runs `unshare`, hands on the signals that this process gets to the one that it contains, and ends as
/// that one does.
fn contain(unshare: &mut Command) -> Result<ExitCode, Box<dyn Error>> {
    let handed_on =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];
    let mut signals = Signals::new(handed_on.map(|signal| signal as i32))?;
    let mut unshare = unshare.spawn()?;
    let id = unshare.id();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            let contained = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            let contained =
                contained.ok().and_then(|pids| pids.split_whitespace().next()?.parse().ok());
            if let (Some(pid), Ok(signal)) = (contained, Signal::try_from(signal)) {
                let _ = kill(Pid::from_raw(pid), signal);
            }
        }
    })?;
    let code = match Exit::from(unshare.wait()?) {
        Exit::Code(code) => code,
        Exit::Signal(signal) => 128 + signal,
    };
    Ok(ExitCode::from(u8::try_from(code)?))
}

fn can_contain() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(CONTAINER).arg("true").stderr(Stdio::null());
    on_path("unshare").is_some() && unshare.status().is_ok_and(|status| status.success())
}

/// What is run under the conditions.
struct Subject<'a> {
    lesson: &'a str,
    /// Of the scenario, without the lesson's.
    name: String,
    scenario: &'a Scenario,
    program: String,
    /// What is built for it.
    package: String,
    place: String,
    /// The names of the files that its lesson promises something of.
    files: BTreeSet<&'a str>,
}

/// One of them under one condition.
struct Case<'a> {
    condition: &'a Condition,
    subject: &'a Subject<'a>,
}

fn test(arguments: &Arguments, workbook: &Workbook) -> Result<ExitCode, Box<dyn Error>> {
    let text = fs::read_to_string(workbook.root.join(LIST))?;
    let list: List = toml::from_str(&text).map_err(|error| format!("{LIST}: {error}"))?;
    let is_selected = |name: &str| !arguments.is_filtered_out(&Trial::test(name, || Ok(())));
    let can_contain = arguments.list || can_contain();

    let subjects: Vec<_> = workbook.chapters.iter().flat_map(subjects).collect();
    let (mut trials, mut cases, mut selected) = (Vec::new(), Vec::new(), Vec::new());
    for chapter in &workbook.chapters {
        let of_lesson: Vec<_> = subjects.iter().filter(|one| one.lesson == chapter.name).collect();
        for condition in &CONDITIONS {
            let name = format!("{}::{}", chapter.name, condition.name);
            let chosen: Vec<_> =
                of_lesson.iter().filter(|one| condition.can_be_held(one, &of_lesson)).collect();
            if chosen.is_empty() || !is_selected(&name) {
                continue;
            }
            if matches!(condition.how, How::Process1) && !can_contain {
                let message = "takes the right to make a PID namespace";
                let ignored = move || Ok(Completion::ignored_with(message));
                trials.push(Trial::ignorable_test(name, ignored));
                continue;
            }
            cases.extend(chosen.into_iter().map(|subject| Case { condition, subject }));
            selected.push((name, chapter.name.as_str(), condition));
        }
    }
    cases.sort_by_key(|case| Reverse(case.subject.scenario.duration()));
    let mut found: BTreeMap<String, Vec<(String, Option<String>)>> = BTreeMap::new();
    if !arguments.list && !cases.is_empty() {
        end_with_this_process()?;
        let programs = build(workbook, &cases)?;
        let count = cases.len();
        let start = Instant::now();
        let mut outcomes = all_at_once(&cases, AT_ONCE, |case, gate| case.hold(&programs, gate))?;
        // What is no exception once more, when there is less to do: it may have been the machine.
        let is_doubtful =
            |index: &usize| outcomes[*index].is_err() && !list.excepts(&cases[*index]);
        let again: Vec<_> = (0..count).filter(is_doubtful).collect();
        let few = (again.len() / 4).max(8);
        let second = all_at_once(&again, few, |index, gate| cases[*index].hold(&programs, gate))?;
        let mut recovered = 0;
        for (index, outcome) in again.into_iter().zip(second) {
            recovered += usize::from(outcome.is_ok());
            outcomes[index] = outcome;
        }
        let seconds = start.elapsed().as_secs();
        let conditions = CONDITIONS.len();
        eprintln!(
            "{count} cases, under {conditions} conditions, in {seconds} s; {recovered} were as promised \
             the second time only"
        );
        for (case, outcome) in cases.iter().zip(outcomes) {
            let name = format!("{}::{}", case.subject.lesson, case.condition.name);
            let of_trial = found.entry(name).or_default();
            of_trial.push((case.subject.name.clone(), outcome.err()));
        }
        all_is_over();
    }
    for (name, lesson, condition) in selected {
        let outcomes = found.remove(&name).unwrap_or_default();
        let judged = list.judge(lesson, condition, &outcomes);
        let judged = if arguments.list { Ok(()) } else { judged };
        trials.push(Trial::test(name, || judged.map_err(Failed::from)));
    }
    let names: BTreeSet<_> = workbook.chapters.iter().map(|one| one.name.as_str()).collect();
    let unknown = list.unknown(&names);
    if let Some(unknown) = unknown {
        return Err(format!("{LIST}: {unknown}").into());
    }
    Ok(libtest_mimic::run(arguments, trials).exit_code())
}

/// All of a chapter that ends with exit code 0.
fn subjects<'a>(chapter: &'a Chapter) -> Vec<Subject<'a>> {
    let lesson = chapter.name.as_str();
    let mut blocks: Vec<_> = chapter
        .scenarios()
        .filter(|block| {
            block.says.language().is_none()
                && block.says.feature.is_none()
                && block.says.needs.is_none()
        })
        .map(|block| {
            let name = block.says.name.clone().unwrap_or_else(|| lesson.to_owned());
            (name, block, chapter.program(&block.says).to_owned())
        })
        .collect();
    let exercise = chapter.lesson.as_ref().and_then(|own| own.exercise.promises());
    if let Some(exercise) = exercise {
        blocks.push(("solution".to_owned(), exercise, chapter.solution_program()));
    }
    let succeeds = |run: &Run| {
        run.promises.iter().any(|promise| matches!(promise, Promise::Exit(Exit::Code(0))))
    };
    blocks.retain(|(_, block, _)| block.says.runs.iter().all(succeeds));
    let promises = chapter.scenarios().chain(exercise).flat_map(|block| block.says.promises());
    let files: BTreeSet<_> = promises
        .filter_map(|(_, promise)| match promise {
            Promise::File(path, _) => Some(path.as_str()),
            _ => None,
        })
        .collect();
    let subject = |(name, block, program): (String, &'a Block<Scenario>, String)| Subject {
        lesson,
        name,
        scenario: &block.says,
        package: chapter.package_of(&program).to_owned(),
        program,
        place: block.place.to_string(),
        files: files.clone(),
    };
    blocks.into_iter().map(subject).collect()
}

impl Subject<'_> {
    /// Whether the check has to read what it prints, to know when to act or whom to ask.
    fn has_to_be_read(&self) -> bool {
        self.scenario.runs.iter().any(|run| {
            let sends = run.send.iter().any(|send| matches!(send.when, When::After(_)));
            sends || run.requests().next().is_some()
        })
    }

    fn prints_on_stderr(&self) -> bool {
        let prints = |promise: &Promise| match promise {
            Promise::Lines(Stream::Stderr, lines) => {
                !matches!(&lines.what, Lines::Says(lines) if lines.is_empty())
                    && !matches!(lines.what, Lines::Absent(_))
            }
            _ => false,
        };
        self.scenario.promises().any(|(_, promise)| prints(promise))
    }

    /// When most of its first run is over.
    fn later(&self) -> Duration {
        match self.scenario.runs[0].ends {
            Ends::At(time) => time.mul_f64(0.7),
            Ends::Never => Duration::ZERO,
        }
    }

    /// Whether it is promised that a file is there afterwards.
    fn writes(&self) -> bool {
        let is_there = |promise: &Promise| match promise {
            Promise::File(_, what) => *what != FilePromise::Exists(false),
            _ => false,
        };
        self.scenario.runs[0].promises.iter().any(is_there)
    }

    /// Whether another copy could be in its way: by a file or by a port.
    fn shares(&self) -> bool {
        let shares = |promise: &Promise| matches!(promise, Promise::File(..) | Promise::Request(_));
        self.scenario.promises().any(|(_, promise)| shares(promise))
    }
}

impl Condition {
    /// Whether a subject can be held to something under it, and is not held so by another one of the
    /// lesson.
    fn can_be_held(&self, subject: &Subject, all: &[&Subject]) -> bool {
        match self.how {
            How::Unseen(_) => !subject.has_to_be_read(),
            How::DeadPipe if self.unread == [Stream::Stderr] => subject.prints_on_stderr(),
            How::SecondCopy => subject.shares(),
            How::LateCopy => subject.shares() && subject.later() > 2 * LATER,
            // Of each program the shortest that tells what is in a file afterwards.
            How::FileName => {
                let of_program = all.iter().filter(|one| one.program == subject.program);
                let of_program = of_program.filter(|one| one.writes());
                let shortest = of_program.min_by_key(|one| one.scenario.duration());
                shortest.is_some_and(|shortest| shortest.name == subject.name)
            }
            _ => true,
        }
    }
}

/// Builds what the cases run.
fn build(
    workbook: &Workbook,
    cases: &[Case],
) -> Result<BTreeMap<Profile, Programs>, Box<dyn Error>> {
    let mut packages: BTreeMap<Profile, BTreeSet<&str>> = BTreeMap::new();
    for Case { subject, .. } in cases {
        packages.entry(subject.scenario.profile).or_default().insert(&subject.package);
    }
    let build = |(profile, packages): (Profile, BTreeSet<&str>)| {
        Ok((profile, programs::build(&workbook.root, packages, profile)?))
    };
    packages.into_iter().map(build).collect()
}

impl Case<'_> {
    /// Runs it, and says what is not as promised.
    fn hold(&self, programs: &BTreeMap<Profile, Programs>, gate: &Gate) -> Result<(), String> {
        let scenario = self.subject.scenario;
        let program =
            programs.get(&scenario.profile).and_then(|built| built.get(&self.subject.program));
        let program = program.ok_or("it does not compile; the compiler's message is above")?;
        let length = scenario.duration();
        match self.condition.how {
            How::SecondCopy => self.hold_two(program, gate, LATER),
            How::LateCopy => self.hold_two(program, gate, self.subject.later()),
            How::FileName => self.hold_names(program, gate, length),
            _ => self.hold_as(scenario, || self.start(program), gate, length),
        }
    }

    /// Holds what a scenario promises.
    fn hold_as(
        &self,
        scenario: &Scenario,
        start: impl Fn() -> Start,
        gate: &Gate,
        length: Duration,
    ) -> Result<(), String> {
        let refused = Cell::new(false);
        let held = verdict::hold(scenario, start, gate, length, |promised, ran| {
            // What comes after a refusal has nothing to begin with.
            let broken = self.broken(promised, ran);
            if !broken.is_empty() && self.condition.may_refuse {
                if refuses(promised, ran) || self.is_ended_by_the_system(ran) {
                    refused.set(true);
                    return self.lost(ran);
                }
                if refused.get() && is_orderly(promised, ran) {
                    return Vec::new();
                }
            }
            broken
        });
        let verdict = held.map_err(|error| format!("it cannot be run: {error}"))?;
        if verdict.broken.is_empty() { Ok(()) } else { Err(self.report(&verdict.to_string())) }
    }

    /// The old files that a program has changed although it refuses to work.
    fn lost(&self, ran: &Ran) -> Vec<Broken> {
        let old = self.old_files().into_iter();
        let lost = old.filter_map(|name| {
            let text = fs::read_to_string(ran.directory.join(name)).ok();
            let text = text.filter(|text| *text != format!("{OLD}\n"))?;
            let promised = format!("refuses before it touches {name}");
            Some(Broken { id: promised.clone(), promised, but: format!("it is now {text:?}") })
        });
        lost.collect()
    }

    /// Whether the system ended it, and it left nothing behind that its lesson does not speak of.
    fn is_ended_by_the_system(&self, ran: &Ran) -> bool {
        let Some(signal) = self.condition.ended_by else { return false };
        let is_known = |entry: fs::DirEntry| {
            self.subject.files.contains(&*entry.file_name().to_string_lossy())
        };
        let mut left = fs::read_dir(&ran.directory).into_iter().flatten().flatten();
        ran.exit == Exit::Signal(signal as i32) && ran.left_behind.is_empty() && left.all(is_known)
    }

    fn report(&self, what: &str) -> String {
        let Subject { name, program, place, .. } = self.subject;
        format!("{name} ({program}, {place})\n{what}")
    }

    /// The program under the condition.
    fn start(&self, program: &Path) -> Start {
        let in_a_shell = |script: String| {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(script).arg(program);
            Start::from(shell)
        };
        match self.condition.how {
            How::DeadPipe => Start {
                command: Command::new(program),
                unread: self.condition.unread,
                observer: None,
            },
            How::Shell(script) => {
                let old = self.old_files();
                let old = old.iter().map(|name| format!("[ -e {name} ] || echo {OLD} > {name}; "));
                in_a_shell(old.collect::<String>() + script)
            }
            How::Unseen(script) => in_a_shell(format!("echo; {script}")),
            How::FileName | How::SecondCopy | How::LateCopy => Command::new(program).into(),
            How::Process1 => {
                let mut command = Command::new("/proc/self/exe");
                command.arg(AS_PROCESS_1).arg(program);
                command.into()
            }
        }
    }

    /// The files that stand there from before, where none may be lost by a start that fails: those that
    /// each run of the scenario writes anew.
    fn old_files(&self) -> BTreeSet<&str> {
        let scenario = self.subject.scenario;
        let promises = scenario.runs[0].promises.iter();
        let files = promises.filter_map(|promise| match promise {
            Promise::File(path, FilePromise::Contents(_) | FilePromise::Lines(_)) => Some(&**path),
            _ => None,
        });
        files.filter(|_| self.condition.keeps_files && scenario.twice).collect()
    }

    /// What of a run is not as promised, as far as it can be seen.
    fn broken(&self, promised: &Run, ran: &Ran) -> Vec<Broken> {
        let seen = self.seen(promised, ran);
        seen.broken(promised, |promise| match promise {
            Promise::Lines(stream, _) if self.condition.unread.contains(stream) => None,
            _ => promise.but(&seen),
        })
    }

    /// A run as it would look without the condition.
    fn seen(&self, promised: &Run, ran: &Ran) -> Ran {
        let mut seen = ran.clone();
        // Many run at the same time here.
        seen.silent = None;
        if let (How::Unseen(_), End::Ended { since_start, since_output }, Ends::At(time)) =
            (&self.condition.how, ran.end, promised.ends)
        {
            // From the shell's line, which comes before the program. What is to end at once may have to
            // compute until then: of that one only what hangs is wrong.
            let allowed = if time.is_zero() { since_output } else { TOLERANCE };
            let since_output = since_output.saturating_sub(allowed);
            seen.end = End::Ended { since_start, since_output };
        }
        if let How::FileName = self.condition.how {
            let written = ran.directory.join(OsStr::from_bytes(NO_TEXT));
            let files = promised.promises.iter().filter_map(|promise| match promise {
                Promise::File(path, what) if *what != FilePromise::Exists(false) => Some(path),
                _ => None,
            });
            let mut files = files.filter(|path| !ran.directory.join(path).exists());
            if let Some(path) = files.next().filter(|_| written.exists()) {
                let _ = fs::copy(&written, ran.directory.join(path));
                for printed in [&mut seen.stdout, &mut seen.stderr] {
                    let text = String::from_utf8_lossy(printed).replace(NO_TEXT_SHOWN, path);
                    *printed = text.into_bytes();
                }
            }
        }
        seen
    }

    /// Gives it a name in the place of its first argument, and of its second one; where it writes a file of
    /// that name, another name has to do as well.
    fn hold_names(&self, program: &Path, gate: &Gate, length: Duration) -> Result<(), String> {
        let mut scenario = self.subject.scenario.clone();
        scenario.runs.truncate(1);
        let given: Vec<String> = scenario.runs[0].args.drain(..).collect();
        for place in 0..=given.len().min(1) {
            let named = |name: &OsStr| {
                let mut command = Command::new(program);
                command.args(&given[..place]).arg(name).args(given.iter().skip(place + 1));
                Start::from(command)
            };
            let directory = temporary_directory().map_err(|error| error.to_string())?;
            let promised = &scenario.runs[0];
            run(named(OsStr::new(NAME)), directory.path(), promised, gate, length)
                .map_err(|error| format!("it cannot be run: {error}"))?;
            let mut left = fs::read_dir(&directory).into_iter().flatten().flatten();
            if left.any(|entry| entry.file_name().to_string_lossy().starts_with(NAME)) {
                self.hold_as(&scenario, || named(OsStr::from_bytes(NO_TEXT)), gate, length)?;
            }
        }
        Ok(())
    }

    /// Runs it, and a second copy that starts later in the same directory. Each is judged when it ends: one
    /// that refuses has to leave the other alone.
    fn hold_two(&self, program: &Path, gate: &Gate, later: Duration) -> Result<(), String> {
        let directory = temporary_directory().map_err(|error| error.to_string())?;
        let promised = &self.subject.scenario.runs[0];
        let length = self.subject.scenario.duration();
        let pass = gate.enter(length);
        let own = [Gate::new(), Gate::new()];
        let copy = |number: usize| {
            let ran = run(self.start(program), directory.path(), promised, &own[number], length)?;
            let broken = ran.breaks(promised);
            io::Result::Ok((ran, broken))
        };
        let copies = thread::scope(|scope| {
            let start = |name: &str| thread::Builder::new().name(name.to_owned());
            let second = start("second copy").spawn_scoped(scope, || {
                thread::sleep(later);
                copy(1)
            })?;
            start("gate").spawn_scoped(scope, move || {
                thread::sleep(2 * LATER);
                drop(pass);
            })?;
            let first = copy(0)?;
            Ok([first, second.join().map_err(|_| io::Error::other("a panic"))??])
        });
        let copies = copies.map_err(|error: io::Error| format!("it cannot be run: {error}"))?;
        let refuses = |(ran, _): &(Ran, Vec<Broken>)| refuses(promised, ran);
        let one_refuses = copies.iter().filter(|copy| refuses(copy)).count() == 1;
        let mut wrong = String::new();
        for (which, copy) in ["first", "second"].iter().zip(&copies) {
            if one_refuses && refuses(copy) {
                continue;
            }
            for Broken { promised, but, .. } in &copy.1 {
                wrong +=
                    &format!("  promised  {promised}\n  but       of the {which} copy {but}\n");
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        for (which, (ran, _)) in ["first", "second"].iter().zip(&copies) {
            let printed = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
            wrong += &format!("  the {which} copy printed\n{}{}", printed[0], printed[1]);
        }
        Err(self.report(&wrong))
    }
}

/// Whether a program says in one line why it does not work, and ends in time with an exit code that is not
/// that of a panic.
fn refuses(promised: &Run, ran: &Ran) -> bool {
    let said = String::from_utf8_lossy(&ran.stderr);
    let is_debug =
        said.contains("Os {") || said.contains("Custom {") || said.starts_with("Error: ");
    let promises = promised.promises.iter();
    let expected: Vec<_> = promises
        .filter_map(|promise| match promise {
            Promise::Lines(Stream::Stderr, LinePromise { what: Lines::Says(lines), .. }) => {
                Some(lines)
            }
            _ => None,
        })
        .flatten()
        .collect();
    let is_why = |line: &String| !line.trim().is_empty() && !expected.contains(&line);
    let lines = texts(&said, None).iter().filter(|line| is_why(line)).count();
    lines == 1 && !is_debug && !matches!(ran.exit, Exit::Code(0)) && is_orderly(promised, ran)
}

/// Whether a program ends in time, by itself and without a panic.
fn is_orderly(promised: &Run, ran: &Ran) -> bool {
    let in_time = match (ran.end, promised.ends) {
        (End::Ended { since_output, .. }, Ends::At(time)) => since_output <= time + TOLERANCE,
        _ => false,
    };
    let panics = String::from_utf8_lossy(&ran.stderr).contains("panicked at");
    let ends = matches!(ran.exit, Exit::Code(code) if code != 101 && code < 128);
    in_time && ends && !panics && ran.left_behind.is_empty() && ran.temporary.is_empty()
}

/// What `surroundings.toml` holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// Where it is otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    lesson: String,
    conditions: Vec<String>,
    /// The names of the scenarios, or `solution`; without them at least one of the lesson's.
    #[serde(default)]
    scenarios: Vec<String>,
    reason: String,
    /// Whether it depends on chance, and may be as promised.
    #[serde(default)]
    sometimes: bool,
}

impl List {
    /// What is wrong with the list, if something is.
    fn unknown(&self, lessons: &BTreeSet<&str>) -> Option<String> {
        self.exception.iter().find_map(|exception| {
            let lesson = exception.lesson.as_str();
            let known = |name: &String| CONDITIONS.iter().any(|one| one.name == name);
            match exception.conditions.iter().find(|name| !known(name)) {
                Some(unknown) => Some(format!("{lesson}: there is no condition `{unknown}`")),
                None if !lessons.contains(lesson) => Some(format!("no lesson is `{lesson}`")),
                None if exception.reason.trim().is_empty() => Some(format!("{lesson}: say why")),
                None => None,
            }
        })
    }

    /// Whether a case is among the exceptions.
    fn excepts(&self, case: &Case) -> bool {
        let Case { condition, subject } = case;
        self.exception.iter().any(|exception| {
            exception.lesson == subject.lesson
                && exception.conditions.iter().any(|one| one == condition.name)
                && (exception.scenarios.is_empty() || exception.scenarios.contains(&subject.name))
        })
    }

    /// Holds what was found of a lesson under a condition against the exceptions from it.
    fn judge(
        &self,
        lesson: &str,
        condition: &Condition,
        outcomes: &[(String, Option<String>)],
    ) -> Result<(), String> {
        let of_this = |exception: &&Exception| {
            exception.lesson == lesson
                && exception.conditions.iter().any(|one| one == condition.name)
        };
        let mut exceptions: Vec<_> = self.exception.iter().filter(of_this).collect();
        // Those that name scenarios come first.
        exceptions.sort_by_key(|exception| exception.scenarios.is_empty());
        let mut wrong: Vec<String> = Vec::new();
        let mut used = BTreeSet::new();
        for (name, report) in outcomes {
            let covers = |exception: &&Exception| {
                exception.scenarios.is_empty() || exception.scenarios.contains(name)
            };
            let index = exceptions.iter().position(covers);
            match (report, index) {
                (Some(_), Some(index)) => drop(used.insert((index, name.as_str()))),
                (Some(report), None) => wrong.push(report.clone()),
                (None, _) => {}
            }
        }
        for (index, exception) in exceptions.iter().enumerate() {
            if exception.sometimes {
                continue;
            }
            let reason = &exception.reason;
            let mut unused = exception.scenarios.iter().map(String::as_str);
            let unused = unused.find(|name| !used.contains(&(index, name)));
            let is_used = used.iter().any(|(one, _)| *one == index);
            match unused {
                Some(name) => wrong.push(format!(
                    "{LIST}: {name} is as promised, and is no exception any more: {reason}\n"
                )),
                None if !is_used => wrong.push(format!(
                    "{LIST}: all is as promised, and there is no exception any more: {reason}\n"
                )),
                None => {}
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{}:\n{}", condition.what, wrong.join("\n")))
    }
}
