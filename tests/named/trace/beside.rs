//! A tracer beside a program: what it sees, and that the program sees nothing of it.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::ended_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::geteuid;
use workbook::programs;
use workbook::promise::{Profile, Scenario};
use workbook::recording::Recording;
use workbook::run::{Gate, ends_with_this_process, run};
use workbook::tracer::beside::{command, is_allowed, told};
use workbook::workbook::Workbook;

use crate::Test;
use crate::programs::{TRACER, program};
use crate::traced::{Place, within};

pub const TESTS: &[Test] = &[
    ("beside::same-program", &[], same_program),
    ("beside::threads", &["cc"], threads),
    ("beside::recording", &["cc"], recording),
    ("beside::apart", &["cc"], apart),
    ("beside::program-killed", &["cc"], program_killed),
    ("beside::tracer-killed", &["cc"], tracer_killed),
    ("beside::stopped-for-a-while", &["cc"], stopped_for_a_while),
    ("beside::refused", &["cc"], refused),
    ("beside::unreadable", &["cc", "setpriv"], unreadable),
    ("beside::no-recorder", &["strace"], no_recorder),
];

const PATIENCE: Duration = Duration::from_secs(60);

/// What a program can know of itself. Its state first, by what the shell reads itself: to start others it blocks its
/// signals for a moment.
const KNOWS: &str = "
    read children < /proc/$$/task/$$/children; echo \"children: $children\"
    while read -r key value; do case $key in
        Name:|Umask:|Uid:|Gid:|Groups:|PPid:|Sig[BCIP]*|Shd*|Cap*|NoNewPrivs:|Seccomp*|Cpus*) echo $key $value
    esac; done < /proc/$$/status
    cat /proc/$$/comm /proc/$$/cmdline /proc/$$/environ /proc/$$/limits
    ls -l /proc/$$/fd > open; sed 's/.* [0-9:]* //; s/pipe:.*/a pipe/' open
    readlink /proc/$$/cwd /proc/$$/exe; cat /proc/$$/timerslack_ns /proc/$$/oom_score_adj
    cut -d' ' -f5,6 /proc/$$/stat";

/// With signals that are ignored and a limit that is not the usual one; and what it ends with is passed on.
fn same_program() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let started = |like: &Command, program: &Path| {
        let set = "trap '' INT USR2; ulimit -n 77; exec \"$@\"";
        let mut shell = guarded("/bin/sh");
        shell.args(["-c", set, "sh"]).arg(program).args(like.get_args());
        shell.current_dir(place.path("")).output()
    };
    let mut plain = Command::new("/bin/sh");
    let arguments = ["-c", &format!("{KNOWS}; echo oh >&2; exit 9"), "a word", "*"];
    plain.args(arguments);
    let mut beside = command(Path::new("/bin/sh"), &out);
    beside.args(arguments);
    let plain = started(&plain, Path::new("/bin/sh"))?;
    let beside = started(&beside, &env::current_exe()?)?;
    let [plain_says, beside_says] =
        [&plain, &beside].map(|output| String::from_utf8_lossy(&output.stdout).replace('\0', "\n"));
    holds(
        plain_says.contains("SigIgn:")
            && plain_says.contains("77")
            && plain_says.contains("a word"),
        &plain_says,
    )?;
    let differs =
        plain_says.lines().zip(beside_says.lines()).find(|(plain, beside)| plain != beside);
    holds(beside_says == plain_says, &format!("the same is said: {differs:?}"))?;
    holds(beside.status.code() == Some(9) && beside.stderr == b"oh\n", "its end and its stderr")?;
    told(&out)?;
    Ok(())
}

fn threads() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let mut child = start(&place, &out)?;
    let status = ended_within(&mut child, PATIENCE)?.ok_or("it hangs")?;
    holds(status.code() == Some(5), "exit code 5")?;
    let trace = told(&out)?;
    let says = format!("{trace:?}");
    let [main, worker, idle] = &trace.threads[..] else { return Err(says.into()) };
    let names = [main, worker, idle].map(|thread| &*thread.name);
    holds(names == ["main", "worker", "idle"], &says)?;
    holds(trace.ended_by.as_deref() == Some("main") && main.returned.is_none(), &says)?;
    holds(main.born == 0.0 && worker.born <= idle.born && idle.born < 0.25, &says)?;
    // On a busy machine the print after it is seen as a wait, too.
    let Some((join, others)) = main.waits.split_first() else { return Err(says.into()) };
    holds(join.joins.as_deref() == Some("worker") && join.to - join.from > 0.2, &says)?;
    holds(others.iter().all(|wait| wait.joins.is_none()), &says)?;
    let returned = worker.returned.ok_or("it was not seen to end")?;
    holds(returned >= 0.3 && (returned - join.to).abs() < 0.02, &says)?;
    holds(idle.returned.is_none() && idle.waits.is_empty() && trace.ended >= returned, &says)?;
    Ok(())
}

/// As whoever runs a lesson has it.
fn recording() -> Result<(), Failed> {
    is_allowed()?;
    let place = Place::new()?;
    let out = place.path("trace");
    let directory = tempfile::tempdir()?;
    let promised = Scenario::parse("ends = 0.3\nexit = 5").map_err(|error| format!("{error:?}"))?;
    let joins = PathBuf::from(program("joins"));
    let ran =
        run(command(&joins, &out), directory.path(), &promised.runs[0], &Gate::new(), PATIENCE)?;
    let recording = Recording::of(&ran, told(&out).ok())?;
    let says = format!("{ran:?}\n{recording:?}");
    holds(ran.left_behind.is_empty(), &says)?;
    holds(recording.exit == Some(5) && recording.ended_by.as_deref() == Some("main"), &says)?;
    let cut: Vec<_> = recording.thread.iter().map(|thread| recording.cuts(thread)).collect();
    holds(cut == [false, false, true], &says)
}

/// It is nobody's child, and has nothing of the program's open.
fn apart() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let mut child = start(&place, &out)?;
    let tracer = tracer_of(&child)?;
    let file = |name: &str| format!("/proc/{tracer}/{name}");
    let stat = fs::read_to_string(file("stat"))?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    holds(fields[1] != child.id().to_string(), "it is not the program's child")?;
    holds(fields[1] != std::process::id().to_string(), "nor ours")?;
    holds(fields[3] == tracer.to_string(), "it leads a session")?;
    let mut open = Vec::new();
    for entry in fs::read_dir(file("fd"))? {
        open.push(fs::read_link(entry?.path())?);
    }
    let is_own = |to: &PathBuf| to.ends_with("mem") || to == Path::new("/dev/null");
    holds(open.len() >= 3 && open.iter().all(is_own), &format!("{open:?}"))?;
    holds(fs::read_link(file("cwd"))? == Path::new("/"), "it is in no directory of ours")?;
    ended_within(&mut child, PATIENCE)?;
    let is_gone = || !fs::read_to_string(file("stat")).is_ok_and(|stat| !stat.contains(") Z "));
    within(Duration::from_secs(2), is_gone).map_err(|()| "the tracer stays".into())
}

fn program_killed() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let mut child = start(&place, &out)?;
    within(PATIENCE, || threads_of(&child) == 3).map_err(|()| "no threads")?;
    child.kill()?;
    holds(child.wait()?.signal() == Some(9), "SIGKILL")?;
    let trace = told(&out)?;
    let says = format!("{trace:?}");
    holds(trace.ended_by.is_none() && trace.threads.len() == 3, &says)?;
    holds(trace.threads.iter().all(|thread| thread.returned.is_none()), &says)
}

/// The program goes on.
fn tracer_killed() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let mut child = start(&place, &out)?;
    kill(Pid::from_raw(tracer_of(&child)?.cast_signed()), Signal::SIGKILL)?;
    let status = ended_within(&mut child, PATIENCE)?.ok_or("it hangs")?;
    holds(status.code() == Some(5), &format!("{status}"))?;
    let told = told(&out);
    let why = told.as_ref().err().map(String::as_str);
    holds(why == Some("the tracer has ended without a word"), &format!("{told:?}"))
}

/// A stopped program stays stopped, and goes on when it is told to.
fn stopped_for_a_while() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let mut child = start(&place, &out)?;
    within(PATIENCE, || threads_of(&child) == 3).map_err(|()| "no threads")?;
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGSTOP)?;
    let ended = ended_within(&mut child, Duration::from_millis(800))?;
    holds(ended.is_none(), "it is stopped")?;
    kill(pid, Signal::SIGCONT)?;
    let status = ended_within(&mut child, PATIENCE)?.ok_or("it hangs")?;
    holds(status.code() == Some(5), &format!("{status}"))?;
    let trace = told(&out)?;
    holds(trace.ended > 0.8 && trace.threads.len() == 3, &format!("{trace:?}"))
}

/// A process has one tracer at most: below another one the program runs all the same, and the file says why it saw
/// nothing.
fn refused() -> Result<(), Failed> {
    let place = Place::new()?;
    let out = place.path("trace");
    let below = |command: &Command| {
        let mut traced = guarded(&*TRACER);
        traced.args(["trace", "--"]).arg(env::current_exe()?).args(command.get_args());
        traced.current_dir(place.path("")).stderr(Stdio::null()).output()
    };
    let output = below(&command(Path::new(&program("joins")), &out))?;
    holds(output.status.code() == Some(5), &format!("{output:?}"))?;
    let why = told(&out).err().ok_or("it was traced twice")?;
    let begins = "the system does not let one process trace another (ptrace): ";
    holds(why.starts_with(begins) && !why.contains('\n'), &why)?;
    // And so one is told that asks before.
    let mut asks = Command::new("");
    asks.args(command(Path::new(""), Path::new("")).get_args().take(1));
    let output = below(&asks)?;
    holds(output.stdout == why.as_bytes(), &format!("{output:?}"))
}

/// Into a program whose file one may execute and not read nobody may look, so nothing is claimed of it.
fn unreadable() -> Result<(), Failed> {
    let place = Place::new()?;
    let (out, shut) = (place.path("trace"), place.path("shut"));
    fs::copy(program("joins"), &shut)?;
    fs::set_permissions(&shut, Permissions::from_mode(0o111))?;
    let beside = command(&shut, &out);
    // Root may read it all the same.
    let mut nobody = if geteuid().is_root() {
        fs::set_permissions(place.path(".."), Permissions::from_mode(0o755))?;
        fs::set_permissions(place.path("."), Permissions::from_mode(0o777))?;
        let mut nobody = guarded("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(env::current_exe()?);
        nobody
    } else {
        guarded(env::current_exe()?)
    };
    let status = nobody.args(beside.get_args()).current_dir(place.path("")).status()?;
    holds(status.code() == Some(5), &format!("{status}"))?;
    let told = told(&out);
    let why = told.as_ref().err().map_or("", String::as_str);
    holds(why.contains("Permission denied"), &format!("{told:?}"))
}

/// Where tracing is refused the recorder says so before it builds and runs a lesson.
fn no_recorder() -> Result<(), Failed> {
    let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev)?;
    let output = guarded("strace")
        .args(["-f", "-qq", "-e", "trace=none", "-o", "/dev/null"])
        .arg(&programs["book"])
        .args(["record", "heartbeat"])
        .stdin(Stdio::null())
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let begins = "cannot record here: the system does not let one process trace another (ptrace): ";
    let ends = "; the recordings that are there can be shown and checked\n";
    holds(output.status.code() == Some(1) && output.stdout.is_empty(), &format!("{output:?}"))?;
    holds(stderr.starts_with(begins) && stderr.ends_with(ends), &stderr)
}

fn start(place: &Place, out: &Path) -> Result<Child, Failed> {
    let mut command = command(Path::new(&program("joins")), out);
    ends_with_this_process(&mut command);
    Ok(command.current_dir(place.path("")).stdin(Stdio::null()).spawn()?)
}

/// The process that traces a program, as soon as it does.
fn tracer_of(child: &Child) -> Result<u32, Failed> {
    let mut tracer = 0;
    let is_traced = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let found = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer = found.and_then(|id| id.trim().parse().ok()).unwrap_or(0);
        tracer != 0 && threads_of(child) == 3
    };
    within(PATIENCE, is_traced).map_err(|()| "nobody traces it")?;
    Ok(tracer)
}

fn threads_of(child: &Child) -> usize {
    fs::read_dir(format!("/proc/{}/task", child.id())).map_or(0, Iterator::count)
}

fn holds(is_so: bool, what: &str) -> Result<(), Failed> {
    if is_so { Ok(()) } else { Err(format!("it is not so: {what}").into()) }
}
