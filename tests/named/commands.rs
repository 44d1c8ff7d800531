//! Runs every command line that a reader is told to type, as it is printed: those of the pages and of
//! the exercises' heads in their order, and those above the tables.
//!
//! What counts is that the shell, cargo and the program take the line, and that the program ends as its
//! promise says, or with code 0 where there is none. What it prints and when is the promises' business;
//! one that goes on is ended after some seconds. Each page has a directory of its own below `target/`,
//! where cargo finds the workbook as in its root. `cargo test …` is held by `cargo test -p named --test text`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use named::pages::{Typed, commands_in_comments, commands_of_tables, pages};
use named::self_check::end_with_this_process;
use named::tools::{loaded, on_path};
use tempfile::TempDir;
use workbook::commands::{measure_command, run_command};
use workbook::promise::judge::End;
use workbook::promise::{Ends, Exit, Language, Promise, Run, Scenario};
use workbook::run::{Gate, HANGS, run};
use workbook::twins::Toolchain;
use workbook::workbook::Workbook;

/// How long a line may take for which there is no promise. `HANGS` later it is ended.
const LENGTH: Duration = Duration::from_secs(4);

/// Lines that are typed while another one runs, and that one. `PID` is its number.
const BESIDE: &[(&str, &str)] = &[
    ("curl -d '' http://127.0.0.1:8080/orders", "cargo run -p graceful-sigterm"),
    (
        "curl -d '' http://127.0.0.1:8080/tickets/6",
        "cargo run -p graceful-sigterm --bin graceful-sigterm-exercise",
    ),
    ("curl http://127.0.0.1:9464/metrics", "cargo run -p inference-telemetry"),
    (
        "curl -d '' 'http://127.0.0.1:8080/orders?takes=3000'",
        "cargo run -p order-desk --bin order-desk-cut",
    ),
    (
        "curl -d '2 pens' -H 'Idempotency-Key: ada-1' http://127.0.0.1:8080/orders",
        "cargo run -p order-desk --bin order-desk-exercise",
    ),
    ("curl http://127.0.0.1:8080/nearest/tea", "cargo run -p warm-start"),
    ("curl http://127.0.0.1:8080/health", "cargo run -p warm-start"),
    (
        "curl http://127.0.0.1:8080/french/bread",
        "cargo run -p warm-start --bin warm-start-exercise -- 8080 1 4",
    ),
    (
        "cargo run -p durable-handoff -- --to redis://127.0.0.1:6390",
        "redis-server --port 6390 --appendonly yes --appendfsync always",
    ),
    ("ps -L -o lwp,stat,time,wchan:20,comm -p PID", "cargo run -p hung-join -- each-other"),
    ("grep '' /proc/PID/task/*/wchan", "cargo run -p hung-join -- each-other"),
    ("timeout 1 strace -f -p PID 2>&1 | grep futex", "cargo run -p hung-join -- each-other"),
    ("grep '' /proc/PID/task/*/syscall", "cargo run -p hung-join -- each-other"),
    ("grep NSpid /proc/PID/task/*/status", "cargo run -p hung-join -- each-other"),
    (
        "gdb -batch -p PID -ex 'thread apply all bt' 2>/dev/null |\n    \
         grep -oE '^Thread.*|expected=[0-9]+|[^ ]+ \\(.*\\) at lessons/.*'",
        "cargo run -p hung-join -- each-other",
    ),
    ("ps -T -p PID", "cargo run -p still-alive"),
    ("cargo run -- trace --pid PID", "cargo run -p still-alive"),
];

/// Lines for which there is no promise and that end otherwise than with code 0.
const ENDS: &[(&str, i32, &str)] = &[
    (
        "rustc --edition 2024 lessons/04-scoped-workers/compile-fail/forgotten-join.rs",
        1,
        "it does not compile",
    ),
    (
        "cargo run -- exam --only in-flight -- cargo run -q -p order-desk --bin order-desk-cut",
        1,
        "it fails the trial",
    ),
    (
        "cargo run -- exam --only killed --html exam.html -- cargo run -q -p order-desk --bin order-desk-exercise",
        1,
        "it fails the trial",
    ),
    ("timeout --signal TERM 3 cargo run -p critical-worker", 124, "`timeout` ends it"),
    ("timeout --signal TERM 3 cargo run -p ways-to-exit -- wait", 124, "`timeout` ends it"),
];

/// Lines that are not run here, and why. Only ever make this list shorter.
const ELSEWHERE: &[(&str, &str)] = &[
    ("apt install redis-server", "it would change the system; .ci/run installs it"),
    ("bash .ci/run", "it runs this"),
    ("cargo install --path book/own-program", "it would install it"),
    ("cargo run -- record prompt-stop", "it would renew what the book shows"),
    ("kill -KILL $(pidof graceful-sigterm-default)", "it would end all of that name"),
    ("kill -TERM $(pidof graceful-sigterm-default)", "it would end all of that name"),
    ("mdbook build book", "it takes mdBook; `--test book` speaks its protocol"),
    ("npm ci --prefix tests/named", "it would change what `--test browser` uses; .ci/run does it"),
    ("python3 tests/bench.py", "it takes a quiet machine and the better part of an hour"),
    (
        "unshare --user --map-root-user --pid --fork target/debug/graceful-sigterm-default",
        "it has no end but SIGKILL from outside; `--test pid-1` holds what it does",
    ),
];

/// What lines have in common that take the same port, which is to be had once at a time.
const PORTS: &[(&str, u16)] = &[
    ("-p graceful-sigterm", 8080),
    ("-p warm-start", 8080),
    ("-p inference-telemetry", 9464),
    ("-p order-desk", 8080),
    ("redis-server --port 6390", 6390),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let workbook = match loaded() {
        Ok(workbook) => workbook,
        Err(code) => return code,
    };
    if !arguments.list {
        if let Err(error) = end_with_this_process() {
            eprintln!("cannot handle signals: {error}");
            return ExitCode::FAILURE;
        }
        if let Err(error) = build(&workbook) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    // Most lines sleep; but cargo wants a lock before, for which too many would wait too long.
    let arguments = Arguments { test_threads: arguments.test_threads.or(Some(16)), ..arguments };
    libtest_mimic::run(&arguments, trials(workbook)).exit_code()
}

/// Builds each lesson as `cargo run -p` does, so that no line has to wait for that.
fn build(workbook: &Workbook) -> Result<(), String> {
    let mut builds = BTreeSet::from([vec!["-p", "book"]]);
    for chapter in &workbook.chapters {
        for block in chapter.scenarios() {
            let profile = block.says.profile.name();
            let package = chapter.package_of(chapter.program(&block.says));
            builds.insert(vec!["-p", package, "--profile", profile]);
        }
    }
    for arguments in builds {
        let mut cargo = Command::new(env!("CARGO"));
        let status = cargo.arg("build").args(&arguments).current_dir(&workbook.root).status();
        let status = status.map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("`cargo build {}` failed", arguments.join(" ")));
        }
    }
    Ok(())
}

/// What became of a line.
struct Said {
    end: End,
    exit: Exit,
    stderr: String,
}

/// What all trials have in common.
struct Shared {
    workbook: Workbook,
    gate: Gate,
    ports: BTreeMap<u16, Mutex<()>>,
    twins: BTreeMap<Language, Result<Toolchain, String>>,
}

fn trials(workbook: Workbook) -> Vec<Trial> {
    let mut walks: BTreeMap<String, Vec<Typed>> = BTreeMap::new();
    for page in pages() {
        let name = page.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // These two open the book at the same port.
        let name = if name == "index" { "README".to_owned() } else { name };
        walks.entry(name).or_default().extend(page.commands());
    }
    // After those of its chapter; most of them stand there, too.
    for typed in commands_in_comments(&workbook) {
        let directory = typed.place.path.iter().nth(1).unwrap_or_default().to_string_lossy();
        let walk = walks.entry(directory.into_owned()).or_default();
        if !walk.iter().any(|other| other.line == typed.line) {
            walk.push(typed);
        }
    }
    for walk in walks.values_mut() {
        walk.retain(|typed| !typed.line.contains("cargo test"));
    }
    let everywhere: BTreeSet<_> =
        walks.values().flatten().map(|typed| typed.line.clone()).collect();
    let mut above: BTreeMap<String, Typed> = BTreeMap::new();
    for typed in commands_of_tables(&workbook) {
        if !typed.line.starts_with("cargo test") && !everywhere.contains(&typed.line) {
            above.entry(typed.line.clone()).or_insert(typed);
        }
    }

    let twins = Language::ALL.into_iter().map(|language| (language, Toolchain::find(language)));
    let ports = PORTS.iter().map(|(_, port)| (*port, Mutex::default())).collect();
    let shared = Arc::new(Shared { workbook, gate: Gate::new(), ports, twins: twins.collect() });
    let mut trials = Vec::new();
    let known = everywhere.clone();
    trials.push(Trial::test("what-is-listed-is-typed", move || superfluous(&known)));
    let mut restores = Vec::new();
    for (name, mut walk) in walks {
        restores.extend(walk.extract_if(.., |typed| typed.line.starts_with("git restore")));
        walk.retain(|typed| !ELSEWHERE.iter().any(|(line, _)| *line == typed.line));
        for typed in walk.extract_if(.., |typed| program_beside(&typed.line).is_some()) {
            let shared = Arc::clone(&shared);
            let name = format!("beside::{}", typed.place);
            trials.push(Trial::ignorable_test(name, move || shared.beside(&typed)));
        }
        if walk.is_empty() {
            continue;
        }
        let shared = Arc::clone(&shared);
        trials.push(Trial::test(format!("page::{name}"), move || {
            let desk = Desk::new(&shared.workbook)?;
            let wrong: Vec<_> =
                walk.iter().filter_map(|typed| shared.hold(typed, &desk).err()).collect();
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
        }));
    }
    for typed in above.into_values() {
        let shared = Arc::clone(&shared);
        trials.push(Trial::ignorable_test(format!("table::{}", typed.line), move || {
            let scenario = shared.scenario(&typed.line);
            if let Some(feature) = scenario.and_then(|scenario| scenario.feature.as_ref()) {
                return Ok(Completion::ignored_with(format!("takes the feature `{feature}`")));
            }
            if let Some(scenario) = scenario
                && let Some(language) = scenario.language()
            {
                let needed = scenario.twins[&language];
                let found = &shared.twins[&language];
                if !found.as_ref().is_ok_and(|found| found.version >= needed) {
                    return Ok(Completion::ignored_with(format!("needs {language} {needed}")));
                }
            }
            shared.hold(&typed, &Desk::new(&shared.workbook)?)?;
            Ok(Completion::Completed)
        }));
    }
    trials.push(Trial::test("git-restore", move || {
        let desk = Restored::new(&shared.workbook)?;
        restores.iter().try_for_each(|typed| desk.hold(typed))
    }));
    trials
}

/// What is listed above and that no page tells a reader to type.
fn superfluous(typed: &BTreeSet<String>) -> Result<(), Failed> {
    let besides = BESIDE.iter().flat_map(|(line, program)| [("BESIDE", line), ("BESIDE", program)]);
    let ends = ENDS.iter().map(|(line, ..)| ("ENDS", line));
    let elsewhere = ELSEWHERE.iter().map(|(line, _)| ("ELSEWHERE", line));
    let gone: Vec<_> = besides
        .chain(ends)
        .chain(elsewhere)
        .filter(|(_, line)| !typed.contains(**line))
        .map(|(list, line)| format!("no page has the line `{line}`; take it out of {list}"))
        .collect();
    if gone.is_empty() { Ok(()) } else { Err(gone.join("\n").into()) }
}

fn program_beside(line: &str) -> Option<&'static str> {
    BESIDE.iter().find(|(other, _)| *other == line).map(|(_, program)| *program)
}

impl Shared {
    /// The scenario whose table has this line above it.
    fn scenario(&self, line: &str) -> Option<&Scenario> {
        self.workbook.chapters.iter().find_map(|chapter| {
            let exercise = chapter.lesson.iter().filter_map(|lesson| lesson.exercise.promises());
            let mut scenarios = chapter.scenarios().chain(exercise).map(|block| &block.says);
            scenarios.find(|scenario| run_command(chapter, scenario) == line)
        })
    }

    /// Runs a line and says what is wrong with how it ended.
    fn hold(&self, typed: &Typed, desk: &Desk) -> Result<(), String> {
        let scenario = self.scenario(&typed.line);
        // A signal is then the program's and not the shell's.
        let starts = ["cargo ", "python3 ", "java "];
        let is_plain = starts.iter().any(|start| typed.line.starts_with(start));
        let script = match typed.line.split_once(" && ") {
            Some((build, run)) if build.starts_with("go ") => format!("{build} && exec {run}"),
            _ => format!("{}{}", if is_plain { "exec " } else { "" }, typed.line),
        };
        let said = self.run(&script, &typed.line, scenario, desk)?;
        // So say cargo and clap; what a lesson says begins otherwise.
        let is_refused = said.stderr.lines().any(|line| line.starts_with("error"));
        let is_starter = typed.line.contains("-exercise");
        let fault = match said.end {
            _ if is_refused && !typed.line.starts_with("rustc") => "it is not taken".to_owned(),
            // What a starter does is not told, nor is what a reader has made of it.
            End::Ended { .. } if is_starter => return Ok(()),
            End::Ended { .. } if self.may_end(&typed.line, scenario, said.exit) => return Ok(()),
            End::Ended { .. } => format!("it ended with {}", said.exit),
            _ => return Ok(()),
        };
        Err(format!("{}: `{}`: {fault}\n{}", typed.place, typed.line, said.stderr.trim_end()))
    }

    /// As promised, counted or listed, or else with code 0.
    fn may_end(&self, line: &str, scenario: Option<&Scenario>, found: Exit) -> bool {
        if let Some(Scenario { runs, .. }) = scenario {
            let mut promises = runs.iter().flat_map(|run| &run.promises);
            return promises.any(|one| matches!(one, Promise::Exit(exit) if *exit == found));
        }
        // What ends by chance is counted, and each way that is counted will do.
        let mut measured = self
            .workbook
            .chapters
            .iter()
            .flat_map(|chapter| chapter.measured().map(move |block| (chapter, &block.says)));
        let tally = measured
            .find(|(chapter, measured)| measure_command(chapter, measured) == line)
            .and_then(|(_, measured)| measured.tally.as_ref());
        if let Some(tally) = tally {
            return tally.ways.iter().any(|way| way.exit == found);
        }
        let listed = ENDS.iter().find(|(other, ..)| *other == line);
        found == Exit::Code(listed.map_or(0, |(_, code, _)| *code))
    }

    /// Runs a script in a directory, where `line` tells the port and `scenario` signals and requests.
    fn run(
        &self,
        script: &str,
        line: &str,
        scenario: Option<&Scenario>,
        desk: &Desk,
    ) -> Result<Said, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("PATH", desk.path());
        // What is printed first is then the program's: by that the gate and the signals go.
        command.env("CARGO_TERM_QUIET", "true");
        let mut how = Run {
            args: Vec::new(),
            send: Vec::new(),
            ends: Ends::At(LENGTH),
            promises: Vec::new(),
        };
        if let Some(Scenario { runs, .. }) = scenario {
            how.send = runs[0].send.clone();
            how.promises = runs[0].requests().cloned().map(Promise::Request).collect();
            match runs[0].ends {
                // Cargo takes its time before.
                Ends::At(time) => how.ends = Ends::At(time + LENGTH),
                Ends::Never => {}
            }
        }
        let port = PORTS.iter().find(|(part, _)| scenario.is_none() && line.contains(part));
        let _port =
            port.map(|(_, port)| self.ports[port].lock().unwrap_or_else(PoisonError::into_inner));
        let ran = run(command, desk.directory.path(), &how, &self.gate, LENGTH);
        let ran = ran.map_err(|error| format!("`{line}` cannot be run: {error}"))?;
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        Ok(Said { end: ran.end, exit: ran.exit, stderr })
    }

    /// Runs a line while its program runs.
    fn beside(&self, typed: &Typed) -> Result<Completion, Failed> {
        let program = program_beside(&typed.line).ok_or("it is not listed")?;
        let tools = typed.line.split(' ').take_while(|word| *word != "-p");
        let strace = tools.filter(|word| *word == "strace");
        for line in [&*typed.line, program].into_iter().chain(strace) {
            let tool = line.split(' ').next().unwrap_or_default();
            if on_path(tool).is_none() {
                return Ok(Completion::ignored_with(format!("there is no {tool}")));
            }
        }
        let traces = ["gdb", "strace", "/syscall"].iter().any(|part| typed.line.contains(part));
        if traces && !may_trace() {
            return Ok(Completion::ignored_with("not allowed to trace processes"));
        }
        let script = format!(
            "{{ exec {program}; }} >program.out 2>program.err &\n\
             pid=$!\n\
             until [ -s program.out ]; do kill -0 $pid || exit 1; sleep 0.1; done\n\
             sleep 1\n\
             {}\n\
             code=$?\n\
             kill -KILL $pid\n\
             exit $code",
            typed.line.replace("PID", "$pid")
        );
        let desk = Desk::new(&self.workbook)?;
        let said = self.run(&script, program, None, &desk)?;
        let of_program = fs::read_to_string(desk.directory.path().join("program.err"));
        let of_program = of_program.unwrap_or_default();
        let fault = match said.end {
            End::Ended { .. } if said.exit == Exit::Code(0) => return Ok(Completion::Completed),
            End::Ended { .. } => format!("it ended with {}", said.exit),
            _ => format!("it did not end within {} s", (LENGTH + HANGS).as_secs()),
        };
        let (place, line) = (&typed.place, &typed.line);
        let stderr = &said.stderr;
        Err(format!("{place}: `{line}`, while `{program}` runs: {fault}\n{stderr}{of_program}")
            .into())
    }
}

/// Whether a debugger may look into a process that it has not started.
fn may_trace() -> bool {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    is_root || matches!(scope.trim(), "" | "0")
}

/// A directory in which a reader stands. It lies below `target/`, where cargo finds the workbook, and
/// has its parts.
struct Desk {
    directory: TempDir,
}

impl Desk {
    fn new(workbook: &Workbook) -> Result<Self, String> {
        let make = || {
            let target = workbook.root.join("target");
            fs::create_dir_all(&target)?;
            let directory = tempfile::Builder::new().prefix("commands-").tempdir_in(target)?;
            for part in [".ci", "book", "lessons", "tests"] {
                symlink(workbook.root.join(part), directory.path().join(part))?;
            }
            // A browser that shows nothing.
            let bin = directory.path().join(".bin");
            fs::create_dir(&bin)?;
            fs::write(bin.join("xdg-open"), "#!/bin/sh\n")?;
            fs::set_permissions(bin.join("xdg-open"), fs::Permissions::from_mode(0o755))?;
            Ok(Self { directory })
        };
        make().map_err(|error: std::io::Error| format!("no directory to stand in: {error}"))
    }

    /// The path for programs, with the browser.
    fn path(&self) -> std::ffi::OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let rest = std::env::split_paths(&path).collect::<Vec<PathBuf>>();
        let all = [self.directory.path().join(".bin")].into_iter().chain(rest);
        std::env::join_paths(all).unwrap_or(path)
    }
}

/// A repository with the lessons, in which a reader has changed them all.
struct Restored {
    directory: TempDir,
}

impl Restored {
    fn new(workbook: &Workbook) -> Result<Self, Failed> {
        let directory = TempDir::new()?;
        let made = Command::new("sh")
            .args([
                "-ec",
                "git init -q; cp -r \"$0\" .; git add lessons; \
                   git -c user.name=reader -c user.email=reader@localhost commit -qm lessons",
            ])
            .arg(workbook.root.join("lessons"))
            .current_dir(directory.path())
            .output()?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned().into());
        }
        Ok(Self { directory })
    }

    /// Runs a line, which has to bring back the file in which it stands.
    fn hold(&self, typed: &Typed) -> Result<(), Failed> {
        let file = self.directory.path().join(&typed.place.path);
        let before = fs::read(&file)?;
        fs::write(&file, "changed")?;
        let output =
            Command::new("sh").args(["-c", &typed.line]).current_dir(&self.directory).output()?;
        if fs::read(&file)? == before {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: `{}` does not restore this file\n{said}", typed.place, typed.line).into())
    }
}
