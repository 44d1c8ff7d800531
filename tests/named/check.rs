//! The check itself: each kind of promise is kept by one shell script and broken by another.
//!
//! A check that passes whatever the program does would show here first.

/// The self-check's own.
#[path = "../self_check/assert.rs"]
mod assert;

use std::fs;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use named::self_check::end_with_this_process;
use workbook::promise::{Scenario, Stream};
use workbook::run::{Gate, Start, leftovers};
use workbook::verdict::{self, Verdict};

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    // As the self-check does. A handled signal is back at its default in a program that is started,
    // an ignored one would stay ignored.
    end_with_this_process().expect("signals can be handled");
    Gate::new()
});

/// Runs a shell script as the program of a scenario.
fn hold(promise: &str, script: &str) -> Verdict {
    let scenario = Scenario::parse(promise).unwrap_or_else(|mistake| panic!("{mistake:?}"));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("script");
    fs::write(&path, script).expect("a script");
    let command = || {
        let mut command = Command::new("sh");
        command.arg(&path);
        command
    };
    verdict::hold(&scenario, command, &GATE, scenario.duration(), assert::breaks).expect("a shell")
}

#[track_caller]
fn keeps(promise: &str, script: &str) {
    let verdict = hold(promise, script);
    assert!(verdict.broken.is_empty(), "{verdict}");
}

/// Holds that just these promises are broken, each with this "but".
#[track_caller]
fn breaks(promise: &str, script: &str, expected: &[(&str, &str)]) {
    let verdict = hold(promise, script);
    let found: Vec<_> =
        verdict.broken.iter().map(|broken| (broken.id.as_str(), broken.but.as_str())).collect();
    assert_eq!(found, expected, "{verdict}");
}

/// Promises of a program that ends at once with exit code 0.
fn at_once(more: &str) -> String {
    format!("ends = 0\nexit = 0\n{more}")
}

#[test]
fn the_end_has_two_sides() {
    let promise = "ends = 1\nexit = 0";
    keeps(promise, "echo start; sleep 1.05");
    let but = |script| hold(promise, script).broken.remove(0).but;
    let early = but("echo start; sleep 0.2");
    let Some(figure) = early.strip_prefix("it ended too early: after ") else { panic!("{early}") };
    // Three decimals: with two, 0.998 s would be the 1 s that is promised.
    assert!(figure.starts_with("0.2") && figure.len() == "0.200 s".len(), "{early}");
    assert!(but("echo start; sleep 2").starts_with("it ended after 2.0"));
}

#[test]
fn what_nobody_reads_is_a_pipe_without_a_reader() {
    let unread = |promise: &str, script: &str| {
        let scenario = Scenario::parse(promise).expect("a promise");
        let start = || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Start { command, unread: &[Stream::Stdout], observer: None }
        };
        let held = verdict::hold(&scenario, start, &GATE, scenario.duration(), assert::breaks);
        let verdict = held.expect("a shell");
        assert!(verdict.broken.is_empty(), "{verdict}");
    };
    unread("ends = 0\nsignal = \"SIGPIPE\"", "echo 1");
    // What a signal follows is read, and no line after it.
    let promise = "ends = 0.3\nsignal = \"SIGPIPE\"\n[[send]]\nsignal = \"SIGCONT\"\nafter = \"2\"\n\
                   [[stdout]]\nsays = [\"1\", \"2\"]";
    unread(promise, "echo 1; echo 2; sleep 0.3; echo 3");
}

#[test]
fn a_run_that_is_neither_right_nor_wrong_is_made_once_more() {
    let promise = "ends = 0\nexit = 0";
    let late = |seconds| format!("{{ echo start; sleep {seconds}; }}");
    let at_first = |seconds| format!("[ -e $0.ran ] || {}; touch $0.ran", late(seconds));
    let verdict = hold(promise, &at_first(0.7));
    assert!(verdict.broken.is_empty() && verdict.repeated, "{verdict}");
    // The same lateness again is wrong.
    let verdict = hold(promise, &late(0.7));
    assert_eq!(verdict.ids(), ["ends"].into());
    assert!(
        verdict.to_string().contains("it was run once more: it was late by less than 1 s"),
        "{verdict}"
    );
    // So is a lateness that is no accident, at once.
    let verdict = hold(promise, &at_first(1.1));
    assert!(verdict.ids() == ["ends"].into() && !verdict.repeated, "{verdict}");
    keeps(promise, &late(0.3));
    // The second run of two may be the one that decides nothing. Both are made again.
    let script = format!("echo >> $0.ran; [ $(wc -l < $0.ran) != 2 ] || {}", late(0.7));
    let verdict = hold("twice = true\nends = 0\nexit = 0", &script);
    assert!(verdict.broken.is_empty() && verdict.repeated, "{verdict}");
}

#[test]
fn a_program_that_hangs_is_ended_and_named() {
    let start = Instant::now();
    let verdict = hold("ends = 0.1\nexit = 0", "echo start; sleep 60");
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    let [broken] = &verdict.broken[..] else { panic!("{verdict}") };
    assert_eq!(broken.id, "ends");
    assert!(broken.but.starts_with("it was still running after 6.1"), "{}", broken.but);
}

#[test]
fn a_program_that_prints_without_end_is_ended() {
    let start = Instant::now();
    let verdict = hold("ends = 0.1\nexit = 0", "yes");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(verdict.ids(), ["ends"].into());
    let report = verdict.to_string();
    assert!(report.contains(" lines …") && report.lines().count() < 120, "{}", report.len());
    // Nor does it keep a signal from being sent.
    keeps("ends = 0\nsignal = \"SIGTERM\"\n[[send]]\nsignal = \"SIGTERM\"\nat = 0", "exec yes");
}

#[test]
fn never_ends_means_alive_after_its_last_line() {
    let promise = "ends = \"never\"\n[[stdout]]\nhas = \"ready\"";
    let start = Instant::now();
    keeps(promise, "echo start; sleep 0.5; echo ready; sleep 60");
    assert!(start.elapsed() > Duration::from_millis(2500), "{:?}", start.elapsed());
    // It lives on for less than two seconds, which looks like ever to whoever does not wait.
    let verdict = hold(promise, "echo start; sleep 0.5; echo ready; sleep 1");
    assert!(verdict.broken[0].but.starts_with("it ended after 1.5"), "{verdict}");
}

#[test]
fn silence_at_the_start_is_reported() {
    let promise = "prints something within 2 s";
    let verdict = hold("ends = 2.5\nexit = 0", "sleep 2.5; echo late");
    assert_eq!(verdict.ids(), [promise].into(), "{verdict}");
}

#[test]
fn exit_codes_and_signals() {
    keeps("ends = 0\nexit = 3", "exit 3");
    breaks("ends = 0\nexit = 3", "exit 4", &[("exit", "it exited with code 4")]);
    let killed = "kill -TERM $$";
    keeps("ends = 0\nsignal = \"SIGTERM\"", killed);
    breaks("ends = 0\nsignal = \"SIGINT\"", killed, &[("signal", "it was ended by SIGTERM")]);
    breaks(&at_once(""), killed, &[("exit", "it was ended by SIGTERM")]);
    // A shell's 143 is not a death by SIGTERM.
    breaks("ends = 0\nsignal = \"SIGTERM\"", "exit 143", &[("signal", "it exited with code 143")]);
}

const BEATS: &str = "echo ' 0.000s main       start'
echo ' 0.001s heartbeat  beat 1'
echo ' 1.001s heartbeat  beat 2'
echo 'a plain line about main'";

#[test]
fn what_a_thread_says_is_held_line_by_line() {
    let says =
        |thread, lines| at_once(&format!("[[stdout]]\nthread = \"{thread}\"\nsays = {lines}"));
    keeps(&says("heartbeat", r#"["beat 1", "beat 2"]"#), BEATS);
    keeps(&says("nobody", "[]"), BEATS);
    let breaks =
        |lines, but| breaks(&says("heartbeat", lines), BEATS, &[("stdout heartbeat says", but)]);
    breaks(r#"["beat 2", "beat 1"]"#, "`beat 1` is in the place of `beat 2`");
    breaks(r#"["beat 1"]"#, "there is `beat 2` after `beat 1`");
    breaks(r#"["beat 1", "beat"]"#, "`beat 2` is in the place of `beat`");
    breaks(r#"["beat 1", "beat 2", "beat 3"]"#, "`beat 3` is missing after `beat 2`");
    breaks("[]", "there is `beat 1`");
}

#[test]
fn a_blank_line_is_not_what_a_difference_names() {
    let breaks = |lines, script, but| {
        let promise = at_once(&format!("[[stderr]]\nsays = {lines}"));
        breaks(&promise, script, &[("stderr says", but)]);
    };
    // As a panic's message begins.
    let panics = "exec >&2; echo one; echo; echo \"thread 'main' panicked\"";
    breaks(r#"["one"]"#, panics, "there is `thread 'main' panicked` after `one`");
    breaks(r#"["one", "two"]"#, panics, "`thread 'main' panicked` is in the place of `two`");
    breaks(
        r#"["one", "thread 'main' panicked"]"#,
        panics,
        "there is a blank line before `thread 'main' panicked`",
    );
    breaks("[]", "echo >&2", "there is a blank line");
    breaks(r#"["one", ""]"#, "echo one >&2", "a blank line is missing after `one`");
    breaks(r#"[""]"#, "echo one >&2", "`one` is in the place of a blank line");
}

#[test]
fn how_often_in_which_order_and_what_not() {
    // The name of the thread is not part of a line's text: `beat` stands in `heartbeat`.
    keeps(&at_once("[[stdout]]\nhas = \"beat\"\ntimes = 2"), BEATS);
    keeps(&at_once("[[stdout]]\nhas = \"beat\"\ntimes = [1, 2]"), BEATS);
    keeps(&at_once("[[stdout]]\nabsent = \"heartbeat\""), BEATS);
    keeps(&at_once("[[stdout]]\norder = [\"start\", \"beat 2\"]"), BEATS);
    breaks(
        &at_once(
            "[[stdout]]\nhas = \"beat\"\ntimes = 3\n\
             [[stdout]]\nhas = \"boat\"\n\
             [[stdout]]\nabsent = \"beat 1\"\n\
             [[stdout]]\norder = [\"beat 2\", \"beat 1\"]\n\
             [[stderr]]\nhas = \"start\"",
        ),
        BEATS,
        &[
            ("stdout has beat", "2 times"),
            ("stdout has boat", "0 times"),
            ("stdout absent beat 1", "1 time"),
            ("stdout order", "`beat 1` does not come after `beat 2`"),
            ("stderr has start", "0 times"),
        ],
    );
}

#[test]
fn a_figure_lies_in_its_range() {
    let promise = at_once("[[stdout]]\nhas = \"held for {} s\"\nfigure = [0.9, 1.6]");
    keeps(&promise, "echo held for 1.25 s");
    let breaks = |promise: &str, script, but| {
        breaks(promise, script, &[("stdout has held for {} s", but)]);
    };
    breaks(&promise, "echo held for 1.75 s", "the number is 1.75");
    breaks(&promise, "echo held for -1.25 s", "the number is -1.25");
    breaks(&promise, "echo held for ever s", "0 times");
    let twice = format!("{promise}\ntimes = 2");
    breaks(&twice, "echo held for 1 s; echo held for 2 s", "1 time");
}

#[test]
fn files_are_held_to_the_last_byte() {
    let file = |more| at_once(&format!("[[file]]\npath = \"out.txt\"\n{more}"));
    let whole = "printf 'one\\ntwo\\n' > out.txt";
    let torn = "printf 'one\\ntw' > out.txt";
    keeps(&file("lines = 2\nwhole = true\ncontents = \"one\\ntwo\\n\""), whole);
    keeps(&file("lines = 1\nwhole = false\nhas = \"one\"\ntimes = 1\nabsent = \"two\""), torn);
    keeps(&file("exists = false"), "true");
    breaks(&file("exists = false"), whole, &[("out.txt exists", "it is there")]);
    breaks(&file("exists = true"), "true", &[("out.txt exists", "there is no such file")]);
    breaks(&file("lines = [0, 9]"), "true", &[("out.txt lines", "there is no such file")]);
    breaks(
        &file(
            "lines = [2, 3]\nwhole = true\ncontents = \"one\\ntwo\\n\"\nhas = \"two\"\nabsent = \"one\"",
        ),
        torn,
        &[
            ("out.txt lines", "it has 1"),
            ("out.txt whole", "it ends with `tw`"),
            ("out.txt contents", "it is \"one\\ntw\""),
            ("out.txt has two", "0 times"),
            ("out.txt absent one", "it has, 1 time"),
        ],
    );
}

#[test]
fn a_second_run_finds_what_the_first_left() {
    let script = "[ -e lock ] && { echo found; exit; }; touch lock; echo made";
    let says = |text| format!("[[stdout]]\nsays = [\"{text}\"]\n");
    let again = "[again]\nends = 0\nexit = 0\n[[again.stdout]]\nsays = [\"found\"]";
    keeps(&at_once(&(says("made") + again)), script);
    let twice = format!("twice = true\n{}", at_once(&says("made")));
    let verdict = hold(&twice, script);
    assert_eq!(verdict.ids(), ["stdout says"].into(), "{verdict}");
    assert!(verdict.to_string().contains("(second run, in the same directory)"), "{verdict}");
    let first = verdict.first.expect("a first run");
    assert_eq!(
        (&*first.stdout, first.exit, &first.files[..]),
        ("made\n", Some(0), &verdict.left[..])
    );
    assert_eq!(verdict.left, ["lock"]);

    // Its arguments are told where they are others.
    for (first, second, told) in [
        ("args = [\"one\"]", "args = [\"two\", \"3\"]", "directory, with `two 3`)"),
        ("args = [\"one\"]", "", "directory, without arguments)"),
    ] {
        let runs = format!("{first}\nends = 0\nexit = 0\n[again]\n{second}\nends = 0\nexit = 1");
        let report = hold(&runs, "true").to_string();
        assert!(
            report.contains(&format!("exits with code 1 (second run, in the same {told}")),
            "{report}"
        );
    }
}

const STOPS: &str = "echo start
sleep 60 & trap 'echo stopped; kill $!; exit 0' TERM
sleep 0.2
echo ready
wait";

#[test]
fn signals_are_sent_at_a_time_or_after_a_line() {
    let after = |line| {
        format!(
            "ends = 0.2\nexit = 0\n\
             [[send]]\nsignal = \"SIGTERM\"\nafter = \"{line}\"\n\
             [[stdout]]\nsays = [\"start\", \"ready\", \"stopped\"]"
        )
    };
    keeps(&after("ready"), STOPS);
    let verdict = hold(&after("steady"), STOPS);
    assert!(verdict.ids().contains("prints `steady`, after which it gets a signal"), "{verdict}");
    assert!(verdict.ids().contains("ends"), "{verdict}");

    let at = "ends = 1\nexit = 0\n[[send]]\nsignal = \"SIGTERM\"\nat = 1";
    keeps(at, STOPS);
    // A late start does not bring the signal forward in the program's own time.
    keeps(at, &format!("sleep 0.9\n{STOPS}"));
    keeps(
        "ends = 0.5\nsignal = \"SIGINT\"\n[[send]]\nsignal = \"SIGINT\"\nat = 0.5",
        "echo start; exec sleep 60",
    );
}

/// Answers each path after as many seconds as it names, and is gone after 1.5 s.
const SERVES: &str = r#"exec python3 -I -S -c "
import os, socket, threading, time
listener = socket.create_server(('127.0.0.1', 0))
print('http://127.0.0.1:%d' % listener.getsockname()[1], flush=True)
def answer(connection):
    line = connection.recv(9999).decode().splitlines()[0]
    time.sleep(float(line.split('/')[1].split()[0]))
    body = line.encode()
    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n' % len(body))
    connection.sendall(body)
def accept():
    while True:
        threading.Thread(target=answer, args=[listener.accept()[0]]).start()
threading.Thread(target=accept).start()
time.sleep(1)
listener.shutdown(socket.SHUT_RDWR)
listener.close()
print('closed', flush=True)
time.sleep(0.5)
os._exit(0)""#;

#[test]
fn requests_are_answered_or_cut_or_refused() {
    let promise = |requests: &str| format!("ends = 1.5\nexit = 0\n{requests}");
    let request = |more: &str| format!("[[request]]\n{more}\n");
    let answered =
        request("get = \"/0.5\"\nat = 0.2\nanswer = 201\nhas = \"GET /0.5\"\ntakes = [0.5, 1]");
    let posted = request("post = \"/0\"\nafter = \"http\"\nanswer = 201\nhas = \"POST\"");
    let cut = request("get = \"/9\"\nat = 0.2\ncut = true");
    let refused = request("get = \"/0\"\nafter = \"closed\"\nrefused = true");
    keeps(&promise(&[answered, posted, cut, refused].concat()), SERVES);

    let but = |requests: &str| {
        let verdict = hold(&promise(&request(requests)), SERVES);
        let [broken] = &verdict.broken[..] else { panic!("{verdict}") };
        (broken.id.clone(), broken.but.clone())
    };
    let (id, found) = but("get = \"/0.5\"\nat = 0\nanswer = 200");
    assert_eq!(id, "GET /0.5");
    assert!(found.starts_with("it was answered with status 201 after 0.5"), "{found}");
    assert!(found.ends_with(" s and the text \"GET /0.5 HTTP/1.1\""), "{found}");
    let (_, found) = but("get = \"/0.5\"\nat = 0\nanswer = 201\ntakes = [0.7, 2]");
    assert!(found.starts_with("it was answered with status 201 after 0.5"), "{found}");
    let (_, found) = but("get = \"/0\"\nat = 0\nanswer = 201\nhas = \"POST\"");
    assert!(found.starts_with("it was answered"), "{found}");
    let (_, found) = but("get = \"/9\"\nat = 0\nanswer = 201");
    assert_eq!(found, "the connection ended before the answer was complete");
    let (_, found) = but("get = \"/0\"\nafter = \"closed\"\nanswer = 201");
    assert_eq!(found, "the connection was refused");
    let (_, found) = but("get = \"/0\"\nafter = \"no such line\"\nrefused = true");
    assert_eq!(found, "it was not asked: the program had not printed that yet");
}

#[test]
fn temporary_files_are_removed() {
    keeps(&at_once(""), "rm $(mktemp)");
    breaks(
        &at_once(""),
        "echo > $TMPDIR/forgotten",
        &[("leaves nothing in the directory for temporary files", "there is forgotten")],
    );
}

#[test]
fn nothing_is_left_behind() {
    let orphan = "sleep 60 & echo started";
    let start = Instant::now();
    let verdict = hold(&at_once(""), orphan);
    // The orphan holds the pipe open; nobody waits for it.
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(verdict.ids(), ["leaves no process behind"].into(), "{verdict}");
    assert!(verdict.broken[0].but.starts_with("there is sleep 60 (process "), "{verdict}");
    // An exercise can say so itself, to name what its starter breaks.
    assert_eq!(hold(&at_once("leaves = 0"), orphan).ids(), ["leaves"].into());
    keeps(&at_once("leaves = 0"), "echo started");
    keeps(&at_once("leaves = 1"), orphan);
    breaks(&at_once("leaves = 1"), "echo started", &[("leaves", "there is none")]);
    // Also one that has left the process group.
    let escaped = "cp $(command -v sleep) stray; setsid ./stray 60 & sleep 0.1";
    keeps(&at_once("leaves = 1"), escaped);
    let left: Vec<_> = leftovers().into_iter().filter(|left| left.starts_with("stray")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_environment_is_fixed() {
    keeps(
        &at_once("[[stdout]]\nsays = [\"0,,,1\"]"),
        "echo $RUST_BACKTRACE,$RUST_LOG,$PYTHONUNBUFFERED,$NO_COLOR",
    );
}

#[test]
fn a_report_names_all_that_is_broken_and_what_was_printed() {
    let promise = at_once("[[stdout]]\nhas = \"beat\"\ntimes = 4\n[[stderr]]\nsays = []");
    let report = hold(&promise, "echo beat; echo oh >&2; exit 7").to_string();
    assert_eq!(
        report,
        "  promised  exits with code 0
  but       it exited with code 7
  promised  stdout has `beat` 4 times
  but       1 time
  promised  stderr is empty
  but       there is `oh`
  stdout
    beat
  stderr
    oh
"
    );
}
