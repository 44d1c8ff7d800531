//! What the command takes, and what it says of what is no service.

use std::ffi::OsString;

use libtest_mimic::{Failed, Trial};
use own_program::exam::trials;
use workbook::workbook::Workbook;

use crate::held::{hold, hold_as};
use crate::solutions::{LESSON, python};
use crate::{Found, trial};

/// A test, and the programs without which it is ignored.
type Test = (&'static str, &'static [&'static str], fn() -> Result<Found, Failed>);

const TESTS: [Test; 10] = [
    ("command::list", &[], list),
    ("command::refused", &[], refused),
    ("command::ends-at-once", &[], ends_at_once),
    ("command::never-listens", &[], never_listens),
    ("command::forks-away", &["python3"], forks_away),
    ("command::answers-nothing", &["python3"], || {
        is_strange("nothing", "the connection was closed")
    }),
    ("command::not-found", &["python3"], || is_strange("not-found", "GET /health got 404")),
    ("command::strange-answers", &["python3"], strange_answers),
    ("command::wrappers-that-keep-the-signal", &["python3"], wrappers_that_keep_the_signal),
    ("command::wrappers-that-pass-it-on", &["bash", "python3"], wrappers_that_pass_it_on),
];

pub fn tests() -> Vec<Trial> {
    TESTS.into_iter().map(|(name, needs, test)| trial(name.to_owned(), needs, test)).collect()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Each trial with its rule.
fn list() -> Result<Found, Failed> {
    let held = hold_as(&words(&["--list"]))?;
    let names = held.printed.lines().filter(|line| !line.starts_with(' '));
    if held.status.success() && names.eq(trials::ALL.map(|trial| trial.name)) {
        Ok(Found::Right)
    } else {
        held.wrong("not just the trials are listed")
    }
}

/// No exam is held, which exit code 2 says, and a line says why.
fn is_not_held(arguments: &[&str], why: &str) -> Result<Found, Failed> {
    let held = hold_as(&words(arguments))?;
    // What the service printed last stands indented below it.
    let mut below = held.printed.lines().skip(1);
    let is_a_line = below.all(|line| line.starts_with("    ")) && held.printed.ends_with('\n');
    if held.status.code() == Some(2) && is_a_line && held.printed.contains(why) {
        Ok(Found::Right)
    } else {
        held.wrong(&format!("{arguments:?}: exit code 2, and a line with {why:?}"))
    }
}

fn refused() -> Result<Found, Failed> {
    let run = ["--", "touch", "started"];
    let cases: [(&[&str], &[&str], &str); 13] = [
        (&[], &[], "there is no command"),
        (&[], &["--"], "there is no command"),
        (&[], &["--", ""], "the command has no name"),
        (&[], &["--", "no-such-program-here"], "there is no such program"),
        (&[], &["--", "./no/such/program"], "there is no such program"),
        (&[], &["--", "/tmp"], "this is a directory"),
        (&["--only", "kiled"], &run, "there is no trial `kiled`; there are basics, "),
        (&["--seed", "1.5"], &run, "--seed takes a whole number from 0 on, and not '1.5'"),
        (&["--seed", "soon"], &run, "--seed takes a whole number from 0 on, and not 'soon'"),
        (&["--html", "no/page.html"], &run, "no/page.html"),
        (&["--json", "."], &run, "--json"),
        (&["--list"], &run, "--list"),
        (&["--nonsense"], &run, "--nonsense"),
    ];
    for (options, command, why) in cases {
        is_not_held(&[options, command].concat(), why)?;
    }
    Ok(Found::Right)
}

fn ends_at_once() -> Result<Found, Failed> {
    is_not_held(&["--", "true"], "ended with exit code 0 before it took an order")?;
    let script = "echo no room for it >&2; exit 3";
    is_not_held(&["--", "sh", "-c", script], "it printed last:\n    no room for it")?;
    is_not_held(&["--", "sh", "-c", "kill -9 $$"], "SIGKILL")
}

fn never_listens() -> Result<Found, Failed> {
    is_not_held(&["--", "sleep", "600"], "nothing listened on 127.0.0.1 at PORT")
}

/// The solution in Python, as a word of a shell's script.
fn solution() -> Result<String, Failed> {
    let service = python(&LESSON.join("order-desk.py"))?;
    Ok(service.iter().map(|word| format!("'{}'", word.display())).collect::<Vec<_>>().join(" "))
}

fn forks_away() -> Result<Found, Failed> {
    let script = format!("{} & exit 0", solution()?);
    is_not_held(&["--", "sh", "-c", &script], "stays in the foreground")
}

/// The exam stops at `basics`, whose sentence has this in it.
fn is_strange(how: &str, because: &str) -> Result<Found, Failed> {
    let source = Workbook::home().join("tests/named/exam/strange.py");
    let held = hold([], &[python(&source)?, words(&[how])].concat())?;
    match &held.outcomes[..] {
        [basics, ..] if basics.failed() && basics.because().contains(because) => {}
        _ => return held.wrong(&format!("{how}: `basics` fails with {because:?}")),
    }
    let goes_on = held.outcomes[1..].iter().any(|one| one.passed() || one.failed());
    if held.status.code() == Some(1) && !goes_on {
        Ok(Found::Right)
    } else {
        held.wrong(&format!("{how}: exit code 1, and the exam stops"))
    }
}

fn strange_answers() -> Result<Found, Failed> {
    is_strange("garbage", "no HTTP")?;
    is_strange("a-gigabyte", "more than 4 MB")?;
    is_strange("a-head-without-end", "no HTTP")?;
    is_strange("always-ok", "A new order got 200 ok")
}

/// What `signal-path` says of a service that a shell's script starts.
fn behind(shell: &str, script: &str, is_passed_on: bool, because: &str) -> Result<(), Failed> {
    let trials = [trials::BASICS, trials::SIGNAL_PATH, "idle-stop"];
    let held = hold(trials, &words(&[shell, "-c", script]))?;
    let [basics, signal_path, idle_stop] = &held.outcomes[..] else {
        return held.wrong("three trials were to be held");
    };
    let is_right = match is_passed_on {
        true => signal_path.passed() && idle_stop.passed(),
        // Without the signal no other trial that sends one is worth anything.
        false => signal_path.failed() && !idle_stop.passed() && !idle_stop.failed(),
    };
    if basics.passed() && is_right && signal_path.because().contains(because) {
        Ok(())
    } else {
        held.wrong(&format!("{script}: {because:?}"))
    }
}

fn wrappers_that_keep_the_signal() -> Result<Found, Failed> {
    let service = solution()?;
    behind("sh", &format!("{service}; true"), false, "still listens on its port")?;
    behind("sh", &format!("trap '' TERM; {service}; true"), false, "keeps SIGTERM for itself")?;
    behind("sh", &format!("trap 'exit 0' TERM; {service} & wait"), false, "still listens")?;
    Ok(Found::Right)
}

fn wrappers_that_pass_it_on() -> Result<Found, Failed> {
    let service = solution()?;
    behind("sh", &format!("exec {service}"), true, "")?;
    behind("bash", &service, true, "")?;
    let passes_it_on = format!("trap 'kill $!; wait $!; exit $?' TERM; {service} & wait");
    behind("sh", &passes_it_on, true, "")?;
    Ok(Found::Right)
}
