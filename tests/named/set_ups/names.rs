//! What a reader types to name a lesson.

use libtest_mimic::{Failed, Trial};
use named::desk::answer;

use super::{Test, has, whole_check};

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let trials: [(&str, Test); 6] = [
        ("a lesson has many names", many_names),
        ("several names pick each of theirs", several_names),
        ("a word that names nothing is told, also beside others", a_typo),
        ("a list with a typo is empty", a_list_with_a_typo),
        ("nextest is told in one line", || one_line(&["--list"], Some("1"), "`cargo test`")),
        ("--ignored is told in one line", || {
            one_line(&["--ignored"], None, "`--ignored` has nothing")
        }),
    ];
    trials.map(|(name, test)| Trial::test(format!("names::{name}"), test)).into()
}

/// The names of the tests that these words pick.
fn listed(words: &[&str]) -> Vec<String> {
    let mut check = whole_check();
    let output = check.arg("--list").args(words).stdout(std::process::Stdio::piped());
    let output = output.output().expect("the self-check runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

fn many_names() -> Result<(), Failed> {
    let right = listed(&["critical-worker"]);
    if right.len() < 10 {
        return Err(format!("{right:?}").into());
    }
    for word in [
        "01-critical-worker",
        "lessons/01-critical-worker",
        "./lessons/01-critical-worker/",
        "Critical-Worker",
        "critical_worker",
        "lessons/01-critical-worker/src/bin/critical-worker-exercise.rs",
        "/somewhere/lessons/01-critical-worker/critical-worker.py",
        "book/chapters/01-critical-worker.md",
        "critical-worker-exercise",
        "01",
        "1",
        "lesson-01",
        "Lesson 1",
        " critical-worker ",
        "1.",
        "chapter 1",
        "CriticalWorker",
        "lessons\\01-critical-worker",
        "book/chapters/01-critical-worker.md:143",
        "book/chapters/01-critical-worker.md#your-turn",
        "book/chapters/promises/01-critical-worker.md",
        "critical-worker,critical-worker",
    ] {
        let found = listed(&[word]);
        if found != right {
            return Err(format!("`{word}` picks {found:?}").into());
        }
    }
    for (word, wanted) in [
        ("exercise::01-critical_worker", &["exercise::critical-worker"][..]),
        ("exercise critical-worker", &["exercise::critical-worker"]),
        ("exercise/critical-worker", &["exercise::critical-worker"]),
        ("Exercise::CriticalWorker", &["exercise::critical-worker"]),
        ("Heartbeat::Joined", &["python::heartbeat::joined", "heartbeat::joined"]),
        ("heartbeat-joined", &["python::heartbeat::joined", "heartbeat::joined"]),
    ] {
        let found = listed(&[word]);
        if found != wanted {
            return Err(format!("`{word}` picks {found:?}").into());
        }
    }
    for word in ["go", "java::", "python", "starter"] {
        let found = listed(&[word]);
        let kind = format!("{}::", word.trim_end_matches(':'));
        if found.is_empty() || !found.iter().all(|name| name.starts_with(&kind)) {
            return Err(format!("`{word}` picks {found:?}").into());
        }
    }
    if listed(&["--exact", "02-heartbeat"]) != ["heartbeat"] {
        return Err("`--exact 02-heartbeat` picks another test".into());
    }
    let all = listed(&["heartbeat", "critical-worker"]).len();
    for skipped in ["heartbeat", "02-heartbeat", "lessons/02-heartbeat", "2"] {
        let left = listed(&["heartbeat", "critical-worker", "--skip", skipped]);
        if left != right {
            return Err(format!("`--skip {skipped}` leaves {} of {all}", left.len()).into());
        }
    }
    Ok(())
}

fn several_names() -> Result<(), Failed> {
    let [one, other] = ["heartbeat", "critical-worker"].map(|name| listed(&[name]).len());
    let both = listed(&["heartbeat", "critical-worker"]).len();
    if both == one + other { Ok(()) } else { Err(format!("{both}, not {one} and {other}").into()) }
}

fn told(words: &[&str]) -> (String, Option<i32>) {
    let mut check = whole_check();
    let pipe = std::process::Stdio::piped;
    answer(check.args(words).stdout(pipe()).stderr(pipe()))
}

fn a_typo() -> Result<(), Failed> {
    for words in [&["lessons/02-hartbeat"][..], &["critical-worker", "hartbeat"]] {
        let (text, code) = told(words);
        has(&text, "did you mean `cargo test heartbeat`?")?;
        let (unlike, _) = told(&["99"]);
        if unlike.contains("did you mean") {
            return Err(unlike.into());
        }
        if code != Some(1) || text.contains("running") {
            return Err(format!("exit code {code:?}: {text}").into());
        }
    }
    Ok(())
}

fn a_list_with_a_typo() -> Result<(), Failed> {
    let (text, code) = told(&["--list", "hartbeat"]);
    match (text.lines().count(), code) {
        (1, Some(0)) => has(&text, "did you mean `cargo test heartbeat`?"),
        _ => Err(format!("exit code {code:?}: {text}").into()),
    }
}

fn one_line(words: &[&str], nextest: Option<&str>, expected: &str) -> Result<(), Failed> {
    let mut check = whole_check();
    let pipe = std::process::Stdio::piped;
    check.args(words).envs(nextest.map(|value| ("NEXTEST", value))).stdout(pipe()).stderr(pipe());
    let (text, code) = answer(&mut check);
    match (text.lines().count(), code) {
        (1, Some(1)) => has(&text, expected),
        _ => Err(format!("exit code {code:?}: {text}").into()),
    }
}
