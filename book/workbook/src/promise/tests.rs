//! How a block is read, and what is said of one that is wrong.

use super::*;

const LEAST: &str = "ends = 1\nexit = 0\n";

/// The message and the text that it is about.
#[track_caller]
fn mistake(toml: &str) -> (String, String) {
    let mistake = Scenario::parse(toml).expect_err("a mistake");
    (mistake.message, mistake.span.map(|span| toml[span].to_owned()).unwrap_or_default())
}

#[track_caller]
fn rows(toml: &str) -> Vec<String> {
    let scenario = Scenario::parse(toml).unwrap_or_else(|mistake| panic!("{mistake:?}"));
    scenario.promises().map(|(_, promise)| promise.to_string()).collect()
}

#[test]
fn unknown_keys_are_refused_in_every_table() {
    for table in ["", "[[stdout]]\n", "[[file]]\n", "[[send]]\n", "[[request]]\n", "[again]\n"] {
        let (message, place) = mistake(&format!("{LEAST}{table}tines = 4"));
        assert!(message.starts_with("unknown field `tines`"), "{message}");
        assert_eq!(place, "tines");
    }
}

#[test]
fn wrong_types_are_refused_where_they_stand() {
    for (toml, place) in [
        ("ends = \"soon\"\nexit = 0", "\"soon\""),
        ("ends = -1\nexit = 0", "-1"),
        ("ends = 1e19\nexit = 0", "1e19"),
        ("ends = 1\nexit = \"zero\"", "\"zero\""),
        ("ends = 1\nexit = [0, 3]", "[0, 3]"),
        ("ends = 1\nsignal = \"TERM\"", "\"TERM\""),
        ("ends = 1\nexit = 0\nprofile = \"release\"", "\"release\""),
        ("ends = 1\nexit = 0\npython = \"three\"", "\"three\""),
        ("ends = 1\nexit = 0\njava = 17", "17"),
        ("ends = 1\nexit = 0\ngo = \"go1.19\"", "\"go1.19\""),
        ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"x\"\ntimes = [5, 3]", "[5, 3]"),
        ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"x\"\ntimes = -1", "-1"),
        ("ends = 1\nexit = 0\n[[stdout]]\nsays = \"x\"", "\"x\""),
    ] {
        assert_eq!(mistake(toml).1, place, "{toml}: {}", mistake(toml).0);
    }
}

#[test]
fn what_says_nothing_or_contradicts_itself_is_refused() {
    for (toml, message) in [
        ("exit = 0", "missing field `ends`"),
        ("ends = 1", "how does it end?"),
        ("ends = 1\nexit = 0\nsignal = \"SIGTERM\"", "`exit` and `signal` exclude"),
        ("ends = \"never\"\nexit = 0", "a program that never ends has no `exit`"),
        ("ends = 1\nexit = 0\n[[stdout]]\nthread = \"a\"", "give one of `says`"),
        ("ends = 1\nexit = 0\n[[stdout]]\nsays = []\nabsent = \"a\"", "give one of `says`"),
        ("ends = 1\nexit = 0\n[[stdout]]\nsays = []\ntimes = 2", "`times` and `figure` go with"),
        ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"{}\"", "`has` with one `{}` needs"),
        ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"a\"\nfigure = [1, 2]", "`has` with one"),
        ("ends = 1\nexit = 0\n[[file]]\npath = \"a\"", "nothing is promised of `a`"),
        ("ends = 1\nexit = 0\n[[file]]\npath = \"a\"\ntimes = 1", "`times` goes with `has`"),
        ("ends = 1\nexit = 0\n[[send]]\nsignal = \"SIGINT\"", "a signal is sent either"),
        ("ends = 1\nexit = 0\n[[request]]\nget = \"/\"\nanswer = 200", "a request is made"),
        ("ends = 1\nexit = 0\n[[request]]\nat = 0\nanswer = 200", "a request has a path"),
        (
            "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"a b\"\nanswer = 200",
            "a path begins with `/`",
        ),
        ("ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"", "give one of `answer`"),
        (
            "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"\ncut = true\nhas = \"a\"",
            "give one of `answer`",
        ),
        (
            "ends = 1\nexit = 0\n[[request]]\nat = 0\nget = \"/\"\nanswer = 200\ntakes = [2, 1]",
            "`takes` is a range",
        ),
        ("ends = 1\nexit = 0\ntwice = true\n[again]\nends = 1\nexit = 0", "`twice` and `again`"),
        ("ends = 1\nexit = 0\n[again]\nname = \"a\"\nends = 1\nexit = 0", "`again` says how"),
        ("ends = 1\nexit = 0\n[again]\nfeature = \"a\"\nends = 1\nexit = 0", "`again` says how"),
        ("ends = 1\nexit = 0\nname = \"../a\"", "a `name` has small letters"),
        ("ends = 1\nexit = 0\n[[stdout]]\nhas = \"a\\nb\"", "a line holds no line feed"),
        ("ends = 1\nexit = 0\n[[stdout]]\nthread = \"a b\"\nsays = []", "a thread's name has"),
        ("ends = 1\nexit = 0\n[[file]]\npath = \"/etc/x\"\nexists = true", "a file is named"),
        ("ends = 1\nexit = 0\n[[file]]\npath = \"../x\"\nexists = true", "a file is named"),
        ("ends = \"never\"\nleaves = 1", "only a program that ends"),
        ("ends = 1\nexit = 0\nprogram = \"a.py\"", "a Python program needs `python`"),
        ("ends = 1\nexit = 0\nprogram = \"a.java\"", "a Java program needs `java`"),
        ("ends = 1\nexit = 0\nprogram = \"a.java\"\ngo = \"1.19\"", "a Java program needs `java`"),
        (
            "ends = 1\nexit = 0\nprogram = \"a.go\"\ngo = \"1.19\"\njava = \"17\"",
            "a Go program needs `go`, the oldest version that keeps this, and no other language",
        ),
        ("ends = 1\nexit = 0\n[again]\njava = \"17\"\nends = 1\nexit = 0", "`again` says how"),
        ("ends = 1\nexit = 0\njava = \"17\"\nstarter_breaks = [\"ends\"]", "an exercise has no"),
        ("ends = 1\nexit = 0\nstarter_breaks = []", "`starter_breaks` is empty"),
        ("ends = 1\nexit = 0\nname = \"a\"\nstarter_breaks = [\"ends\"]", "an exercise has no"),
    ] {
        let found = mistake(toml).0;
        assert!(found.starts_with(message), "{toml}: {found}");
    }
}

#[test]
fn a_version_is_older_than_another() {
    let version = |text: &str| text.parse::<Version>().unwrap_or_else(|why| panic!("{why}"));
    for (older, newer) in [("3.6", "3.13"), ("17", "17.0.15"), ("1.19", "1.22rc1"), ("1.8", "17")] {
        assert!(version(older) < version(newer), "{older} {newer}");
    }
    assert_eq!(version("17-ea"), version("17"));
    assert_eq!(version("1.19.8"), version("1.19"));
    assert_eq!([version("17"), version("3.6")].map(|one| one.to_string()), ["17", "3.6"]);
    assert!(["", ".", "three", "go1.19", "-1"].iter().all(|text| text.parse::<Version>().is_err()));
}

#[test]
fn a_starter_breaks_only_what_is_promised() {
    let (message, place) =
        mistake("ends = 1\nexit = 0\nstarter_breaks = [\"ends\", \"stdout has beat\"]");
    assert_eq!(
        message,
        "`starter_breaks` names `stdout has beat`, which this block does not promise; \
         it promises `ends`, `exit`"
    );
    assert_eq!(place, "\"stdout has beat\"");
}

#[test]
fn promises_read_as_sentences() {
    let toml = r#"
        ends = 3.5
        exit = 3
        leaves = 1
        stdout = [
            { says = ["a", "b"] },
            { thread = "main", says = [] },
            { order = ["a", "b"] },
            { has = "beat", times = 4 },
            { has = "took {} s", figure = [1, 2.5], times = [1, 3] },
            { absent = "panicked" },
        ]
        [[file]]
        path = "out.txt"
        exists = true
        lines = [45, 56]
        whole = false
        contents = "a\nb\n"
        has = "a"
        times = 1
        absent = "c"
        [[request]]
        get = "/orders"
        at = 0.5
        answer = 200
        has = "sold"
        takes = [1, 2.5]
        [[request]]
        post = "/orders"
        after = "stopping"
        refused = true
    "#;
    assert_eq!(
        rows(toml),
        [
            "ends 3.5 s after the start (at most 0.5 s later)",
            "exits with code 3",
            "stdout is exactly, in this order: `a`, `b`",
            "thread `main` on stdout logs nothing",
            "stdout has in this order, among others: `a`, `b`",
            "stdout has `beat` 4 times",
            "stdout has `took … s` (a number from 1 to 2.5) 1 to 3 times",
            "stdout does not have `panicked`",
            "`out.txt` exists",
            "`out.txt` has 45 to 56 lines",
            "`out.txt` ends with a torn line",
            "`out.txt` is exactly: `a`, `b`",
            "`out.txt` has `a` once",
            "`out.txt` does not have `c`",
            "`GET /orders` asked 0.5 s after its first line, is answered with status 200 and \
             `sold` after 1 to 2.5 s",
            "`POST /orders` asked after the line `stopping`, is refused: nobody takes the \
             connection",
            "leaves 1 process behind, which the check ends",
        ]
    );
    let toml = "ends = \"never\"\n[[stdout]]\nhas = \"a\"";
    assert_eq!(
        rows(toml),
        [
            "never ends: it is alive 2 s after the last line below, and the check ends it",
            "stdout has `a` at least once",
        ]
    );
}

#[test]
fn twice_is_the_same_run_again() {
    let scenario = Scenario::parse("ends = 2\nexit = 0\ntwice = true").expect("a scenario");
    assert_eq!(scenario.runs.len(), 2);
    assert_eq!(scenario.duration(), Duration::from_secs(4));
}

#[test]
fn again_may_have_an_again() {
    let block =
        "ends = 1\nexit = 0\n[again]\nends = 2\nexit = 0\n[again.again]\nends = 4\nexit = 0";
    let scenario = Scenario::parse(block).expect("a scenario");
    assert_eq!(scenario.runs.len(), 3);
    assert_eq!(scenario.duration(), Duration::from_secs(7));
}
