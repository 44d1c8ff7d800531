//! The pages of a lesson: how long they may be, and that a lesson may have more than one.
//!
//! A copy of the workbook gets two pages more for one lesson: a deeper page, and a promises page for
//! what only a test needs. What the reader makes of them is held here, and what is said when one of
//! them does not stand where it should.
//!
//! Needs a compiler and up to a minute: `cargo test -p named --test pages`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use mdbook_driver::MDBook;
use named::pages::{nothing_is_wrong, workbook};
use named::scratch::{copy, copy_of, files_in};
use named::self_check::self_check;
use regex::Regex;
use tempfile::TempDir;
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::{CHAPTERS, Workbook};
use workshop::pages::{Length, Lengths, count_all, minutes};

/// Something of which a page may have only so much in sight, or in its folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// Minutes to read.
    Minutes,
    /// Words, but for those of tables and of code.
    Prose,
    /// Tables of promises that are not folded: those that carry the argument.
    Promises,
    /// Tables of any kind that are not folded.
    Tables,
    /// Words in folds.
    Folded,
}

use Limit::{Folded, Minutes, Promises, Prose, Tables};

const LIMITS: [Limit; 5] = [Minutes, Prose, Promises, Tables, Folded];

impl Limit {
    fn most(self) -> usize {
        match self {
            Minutes => 10,
            Prose => 1_600,
            Promises => 3,
            Tables => 5,
            Folded => 800,
        }
    }

    fn of(self, count: &Length) -> usize {
        match self {
            Minutes => count.minutes() as usize,
            Prose => count.prose,
            Promises => count.promises,
            Tables => count.tables,
            Folded => count.folded,
        }
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Minutes => "minutes to read",
            Prose => "words of prose",
            Promises => "open tables of promises",
            Tables => "open tables",
            Folded => "words in folds",
        })
    }
}

#[test]
fn a_page_of_a_lesson_keeps_the_limits() {
    let workbook = workbook();
    let counts = count_all(&workbook.root).expect("a book");
    let pages = workbook.lessons().flat_map(|(chapter, _)| &chapter.pages);
    let names = pages.filter_map(|page| page.path.strip_prefix(CHAPTERS).ok());
    // Nobody reads the promises pages from beginning to end: they are in a directory of their own.
    let names: Vec<_> = names.filter(|name| name.components().count() == 1).collect();
    let mut wrong = Vec::new();
    for name in &names {
        let count = &counts[*name];
        for limit in LIMITS {
            let (is, most) = (limit.of(count), limit.most());
            let page = Path::new(CHAPTERS).join(name);
            let page = page.display();
            if is > most {
                wrong.push(format!("{page}: {is} {limit}, and {most} at most"));
            }
        }
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn the_way_on_the_first_page_takes_an_hour() {
    let workbook = workbook();
    let counts = count_all(&workbook.root).expect("a book");
    let first = workbook.root.join(CHAPTERS).join("index.md");
    let first = fs::read_to_string(first).expect("the first page");
    let ways = Regex::new(r"(?m)^\{\{#way (.*)\}\}$").expect("a pattern");
    let ways: Vec<_> = ways.captures_iter(&first).map(|found| found[1].to_owned()).collect();
    let [way] = &ways[..] else { panic!("{} ways on the first page", ways.len()) };
    let of = |name| counts[Path::new(name)].minutes() as usize;
    // A page that is still too long is counted as it is to be.
    let times: Vec<_> = way.split(' ').map(|name| of(name).min(Minutes.most())).collect();
    assert_eq!(times.len(), 6, "{way}");
    assert!(times.iter().sum::<usize>() <= 60, "{way}: {times:?}");
}

/// The program that `cargo run` starts.
static BOOK: LazyLock<PathBuf> = LazyLock::new(|| {
    let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
    programs.expect("cargo").remove("book").expect("the reader compiles")
});

const SUMMARY: &str = "book/chapters/SUMMARY.md";
const CONFIG: &str = "book/book.toml";
const OWN: &str = "book/chapters/02-heartbeat.md";
const DEEPER: &str = "book/chapters/02-heartbeat-signals.md";
const PROMISES: &str = "book/chapters/promises/02-heartbeat.md";

/// The page of a second subject. Its table of outcomes leads to all three pages.
const DEEPER_TEXT: &str = r#"# The signal that found it asleep

*What is left of a heartbeat when a signal ends the service?*

{{#minutes}}

A signal that nobody handles ends the process. Each thread is cut off where it is, a daemon thread
no more than any other. Without one, the service ends so:

{{#recording heartbeat}}

```promise
name = "terminated"
ends = 1.5
signal = "SIGTERM"

[[send]]
signal = "SIGTERM"
at = 1.5

[[stdout]]
thread = "heartbeat"
says = ["beat 1", "beat 2"]

[[stdout]]
absent = "my own work is done"

[[stderr]]
says = []
```

```outcomes
caption = "Whether `main` comes to its end"
head = "the run"

[[row]]
scenario = "heartbeat"
title = "nobody joins it"

[[row]]
scenario = "heartbeat::terminated"
title = "a scheduler's signal"

[[row]]
scenario = "heartbeat::interrupted"
title = "a terminal's signal"

[[column]]
title = "`main` is done"
stdout = "my own work is done"
```
"#;

/// The page of what only a test needs. Its table leads out of its directory.
const PROMISES_TEXT: &str = r#"# Promises of the heartbeat

With Ctrl-C each thread is cut off as well.

```promise
name = "interrupted"
ends = 2.5
signal = "SIGINT"

[[send]]
signal = "SIGINT"
at = 2.5

[[stdout]]
thread = "heartbeat"
says = ["beat 1", "beat 2", "beat 3"]

[[stdout]]
absent = "my own work is done"

[[stderr]]
says = []
```

```outcomes
caption = "The same, seen from here"
head = "the run"

[[row]]
scenario = "heartbeat"
title = "nobody joins it"

[[row]]
scenario = "heartbeat::terminated"
title = "a scheduler's signal"

[[row]]
scenario = "heartbeat::interrupted"
title = "a terminal's signal"

[[column]]
title = "`main` is done"
stdout = "my own work is done"
```
"#;

const LINE_OF_NEXT: &str = "- [The service with three roles](03-service-roles.md)\n";
const LINE_OF_DEEPER: &str = "  - [The signal that found it asleep](02-heartbeat-signals.md)\n";
const LINE_OF_PROMISES: &str = "[Promises of the heartbeat](promises/02-heartbeat.md)\n";
const LINK: &str = "\nWhat only a test needs is [promised elsewhere](promises/02-heartbeat.md).\n";
const NOT_SEARCHED: &str = "\"promises\" = { enable = false }\n";

/// A copy of what the reader reads, in which the lesson has three pages.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let this =
            Self(copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"]));
        for (page, text) in [(DEEPER, DEEPER_TEXT), (PROMISES, PROMISES_TEXT)] {
            assert!(
                !this.path(page).exists(),
                "the workbook has {page}: try this with another lesson"
            );
            this.write(page, text);
        }
        // Behind the lesson's own deeper pages.
        this.edit(SUMMARY, LINE_OF_NEXT, &format!("{LINE_OF_DEEPER}{LINE_OF_NEXT}"));
        let summary = this.read(SUMMARY);
        // Beside the promises pages of other lessons, if there are any.
        match summary.lines().find(|line| line.contains("](promises/")) {
            Some(line) => {
                let bullet = if line.starts_with("- ") { "- " } else { "" };
                this.edit(SUMMARY, line, &format!("{bullet}{LINE_OF_PROMISES}{line}"));
            }
            None => this.write(SUMMARY, &format!("{summary}\n---\n\n{LINE_OF_PROMISES}")),
        }
        this.edit(OWN, "\n## Your turn\n", &format!("{LINK}\n## Your turn\n"));
        if !this.read(CONFIG).contains(NOT_SEARCHED) {
            let table = "[output.html.search.chapter]\n";
            this.edit(CONFIG, table, &format!("{table}{NOT_SEARCHED}"));
        }
        this
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// Puts one text in the place of another, which stands there once.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {path}");
        self.write(path, &text.replace(from, to));
    }

    /// The line of SUMMARY.md that has the promises page, in a list or not.
    fn line_of_promises(&self) -> String {
        let summary = self.read(SUMMARY);
        let mut lines = summary.lines();
        lines.find(|line| line.ends_with(LINE_OF_PROMISES.trim_end())).expect("a line").to_owned()
    }

    /// The line that a text stands on, counted from 1.
    fn line(&self, path: &str, text: &str) -> usize {
        let text = text.trim_end();
        1 + self.read(path).lines().position(|line| line.contains(text)).expect("a line")
    }

    fn build(&self) -> Output {
        Command::new(&*BOOK)
            .args(["build", "--dest"])
            .arg(self.path("built"))
            .env("CARGO_MANIFEST_DIR", self.path("book"))
            .output()
            .expect("the reader runs")
    }

    fn self_check(&self, arguments: &[&str]) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        self_check(self.0.path(), &target).args(arguments).output().expect("the self-check runs")
    }
}

/// The copy's book.
struct Built {
    /// The text of each page, and nothing for any other file, by path.
    files: BTreeMap<String, String>,
    /// What the search knows, as the browser gets it.
    index: String,
    /// The chapters' SUMMARY.md.
    summary: String,
    counts: Lengths,
}

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let desk = Desk::new();
    let output = desk.build();
    assert!(output.status.success(), "{}", said(&output));
    // A file that cannot be included is only warned of.
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let (mut files, mut index) = (BTreeMap::new(), String::new());
    let built = desk.path("built");
    for path in files_in(&built) {
        let name = path.strip_prefix(&built).expect("a file of the book").to_string_lossy();
        let read = || fs::read_to_string(&path).expect("text");
        if name.starts_with("searchindex-") {
            index = read();
        }
        let text = if name.ends_with(".html") { read() } else { String::new() };
        files.insert(name.into_owned(), text);
    }
    let counts = count_all(desk.0.path()).expect("a book");
    Built { files, index, summary: desk.read(SUMMARY), counts }
});

/// What a program printed.
fn said(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    (String::from_utf8_lossy(stdout) + String::from_utf8_lossy(stderr)).into_owned()
}

fn page(name: &str) -> &'static str {
    &BUILT.files[name]
}

/// All matches of the only group of a pattern.
fn find<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).map(|found| found.get(1).expect("a group").as_str()).collect()
}

/// Where a link of a page leads: the file, from the book's directory, and the place in it.
fn target<'a>(page: &str, link: &'a str) -> (String, &'a str) {
    let (path, place) = link.split_once('#').unwrap_or((link, ""));
    let mut target: Vec<_> = page.split('/').collect();
    if !path.is_empty() {
        target.pop();
    }
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match part {
            ".." => drop(target.pop()),
            "." => {}
            part => target.push(part),
        }
    }
    (target.join("/"), place)
}

/// The pages to which mdBook's arrow leads from a page: it has one for a narrow window and one for a
/// wide one.
fn next(name: &str) -> BTreeSet<String> {
    let links = find(r#"<a rel="next[^"]*" href="([^"]*)""#, page(name));
    links.into_iter().map(|link| target(name, link).0).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

const OWN_PAGE: &str = "02-heartbeat.html";
const DEEPER_PAGE: &str = "02-heartbeat-signals.html";
const PROMISES_PAGE: &str = "promises/02-heartbeat.html";

#[test]
fn each_page_has_the_tables_of_its_own_promises() {
    for (name, scenarios) in [
        (OWN_PAGE, &["heartbeat", "heartbeat--joined"][..]),
        (DEEPER_PAGE, &["heartbeat--terminated"]),
        (PROMISES_PAGE, &["heartbeat--interrupted"]),
    ] {
        let ids = find(r#"<table id="promise-([^"]*)""#, page(name));
        assert_eq!(ids, scenarios, "{name}");
        for leftover in ["{{#", "language-promise", "language-outcomes"] {
            assert!(!page(name).contains(leftover), "{name} has {leftover}");
        }
    }
    for (name, command, end) in [
        (DEEPER_PAGE, "cargo test heartbeat::terminated", "SIGTERM"),
        (PROMISES_PAGE, "cargo test heartbeat::interrupted", "SIGINT"),
    ] {
        let tables = find(r#"(?s)<div class="promise">(.*?)</div>"#, page(name));
        let table = tables.first().expect("a table");
        assert!(table.contains(&format!("Checked by <code>{command}</code>")), "{table}");
        assert!(table.contains("<code>cargo run -p heartbeat</code>"), "{table}");
        assert!(table.contains(end) && table.contains("<li><code>beat 2</code></li>"), "{table}");
    }
    // The recording is drawn on both pages that show it.
    for name in [OWN_PAGE, DEEPER_PAGE] {
        assert!(page(name).contains(r#"<svg class="timeline""#), "{name} has no picture");
    }
}

#[test]
fn the_next_arrow_leads_from_lesson_to_lesson() {
    // Over the lesson's own deeper pages, if it has any.
    let mut pages = vec![OWN_PAGE.to_owned()];
    while let Some(last) = pages.pop_if(|last| last != DEEPER_PAGE) {
        assert!(last.starts_with("02-heartbeat"), "{last}");
        let next = next(&last);
        assert_eq!(next.len(), 1, "{last}: {next:?}");
        pages.extend(next);
    }
    assert_eq!(next(DEEPER_PAGE), set(["03-service-roles.html"]));
    let is_promises = |name: &String| name.starts_with("promises/");
    let pages = BUILT.files.keys().filter(|name| name.ends_with(".html") && !is_promises(name));
    let ways_in = pages.filter(|name| next(name).iter().any(is_promises));
    let all = find(r"\]\((?:\./)?(.*?)\.md\)", &BUILT.summary);
    let last = all.iter().rfind(|name| !name.starts_with("promises/")).expect("a page");
    assert_eq!(ways_in.collect::<Vec<_>>(), [&format!("{last}.html")]);
}

#[test]
fn a_table_of_outcomes_leads_to_the_page_of_each_scenario() {
    for name in [DEEPER_PAGE, PROMISES_PAGE] {
        let tables = find(r#"(?s)<div class="outcomes">(.*?)</div>"#, page(name));
        let [table] = tables[..] else { panic!("{} tables in {name}", tables.len()) };
        let links = find(r#"<a href="([^"]*)""#, table);
        let expected = [
            (OWN_PAGE, "promise-heartbeat"),
            (DEEPER_PAGE, "promise-heartbeat--terminated"),
            (PROMISES_PAGE, "promise-heartbeat--interrupted"),
        ];
        let targets: Vec<_> = links.into_iter().map(|link| target(name, link)).collect();
        assert_eq!(targets, expected.map(|(page, place)| (page.to_owned(), place)), "{name}");
        assert_eq!(find(r"(?s)<td[^>]*>\s*(\w+)\s*</td>", table), ["yes", "no", "no"], "{name}");
    }
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let ids = |text: &'static String| find(r#"\sid=["']([^"']*)["']"#, text);
    let places: BTreeMap<_, _> =
        BUILT.files.iter().map(|(name, text)| (name.as_str(), ids(text))).collect();
    let mut broken = Vec::new();
    for name in [OWN_PAGE, DEEPER_PAGE, PROMISES_PAGE, "map.html", "print.html", "toc.html"] {
        let own: BTreeSet<_> = places[name].iter().collect();
        assert_eq!(own.len(), places[name].len(), "a name stands in {name} more than once");
        for link in find(r#"<[a-zA-Z]+\b[^>]*?\s(?:href|src)=["']([^"']*)["']"#, page(name)) {
            if link.contains("://") || link == "." {
                continue;
            }
            let (file, place) = target(name, link);
            let is_there = |ids: &Vec<&str>| place.is_empty() || ids.contains(&place);
            if !places.get(file.as_str()).is_some_and(is_there) {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    nothing_is_wrong(&broken);
    for (name, way) in [(DEEPER_PAGE, ""), (PROMISES_PAGE, "../")] {
        let terms = find(r#"<a class="term" href="([^"]*)""#, page(name));
        let term = format!("{way}glossary.html#cut-off");
        assert!(terms.contains(&term.as_str()), "{name}: {terms:?}");
    }
}

#[test]
fn promises_pages_are_not_found_by_the_search() {
    let json = BUILT.index.split_once("JSON.parse('").and_then(|(_, rest)| rest.rsplit_once("')"));
    let json = json.expect("JSON").0.replace("\\'", "'").replace("\\\\", "\\");
    let index: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let documents = index["doc_urls"].as_array().expect("addresses").iter();
    let pages: BTreeSet<_> = documents.filter_map(|url| url.as_str()?.split('#').next()).collect();
    assert!(pages.contains(OWN_PAGE) && pages.contains(DEEPER_PAGE), "{pages:?}");
    let promises: Vec<_> = pages.iter().filter(|page| page.starts_with("promises")).collect();
    assert_eq!(promises, Vec::<&&str>::new());
}

/// The workbook asks for that entry as soon as there is such a page, so neither is there alone.
#[test]
fn mdbook_refuses_the_entry_of_the_search_where_no_page_matches() {
    let directory = TempDir::new().expect("a temporary directory");
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    let build = || MDBook::load(directory.path()).and_then(|book| book.build());
    write("book.toml", &format!("[output.html.search.chapter]\n{NOT_SEARCHED}"));
    write("src/SUMMARY.md", "- [One](one.md)\n");
    write("src/one.md", "# One\n");
    let error = build().map_err(|error| format!("{error:#}")).expect_err("an error");
    assert!(error.contains("key `promises` does not match any chapter paths"), "{error}");
    write("src/SUMMARY.md", "- [One](one.md)\n- [Two](promises/one.md)\n");
    write("src/promises/one.md", "# Two\n");
    build().expect("a book");
}

#[test]
fn the_map_has_the_deeper_page_and_not_the_promises_page() {
    let count = BUILT.counts[Path::new("02-heartbeat-signals.md")];
    let time = minutes(count.minutes());
    let question = "What is left of a heartbeat when a signal ends the service?";
    let map = page("map.html");
    let entry = format!(
        r#"(<a href="02-heartbeat-signals.html">{}</a> <em>2\.[0-9]+, {time}</em></li>)"#,
        regex::escape(question),
    );
    // Below its lesson's entry, and before the next one's.
    let places = [
        map.find(r#"<a href="02-heartbeat.html">"#),
        find(&entry, map).first().and_then(|entry| map.find(entry)),
        map.find(r#"<a href="03-service-roles.html">"#),
    ];
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {map}");
    assert!(page(DEEPER_PAGE).contains(&format!("<em>{time} to read.</em>")));
    let main = find("(?s)<main>(.*)</main>", map);
    assert!(!main[0].contains("promises/"), "{map}");
    let lessons = workbook().lessons().count();
    assert!(main[0].contains(&format!("The {lessons} lessons take")), "{map}");
}

#[test]
fn the_printed_book_has_all_pages_of_the_lesson() {
    let print = page("print.html");
    for (scenario, links) in [("joined", 0), ("terminated", 2), ("interrupted", 2)] {
        let id = format!("promise-heartbeat--{scenario}");
        assert_eq!(print.matches(&format!(r#"<table id="{id}""#)).count(), 1, "{id}");
        assert_eq!(print.matches(&format!(r##"<a href="#{id}""##)).count(), links, "{id}");
    }
}

/// A way to put the pages wrong, and the one line that is said of it.
type Fault = (&'static str, fn(&Desk) -> String);

const FAULTS: [Fault; 6] = [
    ("a page out of the summary", |desk| {
        desk.edit(SUMMARY, LINE_OF_DEEPER, "");
        let line = LINE_OF_DEEPER.trim_end();
        format!("{SUMMARY}: a page is missing; add the line `{line}` below 02-heartbeat.md")
    }),
    ("a deeper page not below its lesson", |desk| {
        let line = desk.line(SUMMARY, LINE_OF_DEEPER);
        desk.edit(SUMMARY, LINE_OF_DEEPER, LINE_OF_DEEPER.trim_start());
        format!(
            "{SUMMARY}:{line}: 02-heartbeat-signals.md is a deeper page; nest its line below \
             02-heartbeat.md"
        )
    }),
    ("a page of no lesson", |desk| {
        desk.write("book/chapters/02-signals.md", "# Signals\n");
        desk.edit(SUMMARY, LINE_OF_DEEPER, &format!("{LINE_OF_DEEPER}- [S](02-signals.md)\n"));
        "book/chapters/02-signals.md: this chapter has no lesson; add the crate lessons/02-signals, \
         or call it 02-heartbeat-<subject>.md, as a deeper page of that lesson"
            .to_owned()
    }),
    ("a promises page of no lesson", |desk| {
        desk.write("book/chapters/promises/02-heartbeats.md", PROMISES_TEXT);
        let line = desk.line_of_promises();
        let other = line.replace("heartbeat.md", "heartbeats.md");
        desk.edit(SUMMARY, &line, &format!("{line}\n{other}"));
        "book/chapters/promises/02-heartbeats.md: no lesson has this name; a promises page is called \
         as its lesson's directory"
            .to_owned()
    }),
    ("a promises page in another part", |desk| {
        let line = desk.line(SUMMARY, LINE_OF_DEEPER) + 1;
        desk.edit(SUMMARY, &desk.line_of_promises(), "");
        desk.edit(SUMMARY, LINE_OF_DEEPER, &format!("{LINE_OF_DEEPER}- {LINE_OF_PROMISES}"));
        format!(
            "{SUMMARY}:{line}: a promises page stands in the last part, so that the next arrow leads \
             from lesson to lesson"
        )
    }),
    ("a promises page that nothing leads to", |desk| {
        desk.edit(OWN, LINK, "");
        format!("{OWN}: nothing leads to promises/02-heartbeat.md; add a link to it")
    }),
];

#[test]
fn a_page_in_the_wrong_place_is_one_line_of_cargo_run_and_of_cargo_test() {
    for (what, put_wrong) in FAULTS {
        let desk = Desk::new();
        let expected = put_wrong(&desk) + "\n";
        for (command, output) in [
            ("cargo run -- build", desk.build()),
            ("cargo test -- --list", desk.self_check(&["--list"])),
        ] {
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(stderr, expected, "{what}: {command}");
            assert_eq!(output.status.code(), Some(1), "{what}: {command}");
            assert!(output.stdout.is_empty(), "{what}: {command}: {}", said(&output));
        }
    }
}

/// The names of the tests that a filter picks.
fn listed(output: &Output) -> BTreeSet<String> {
    assert!(output.status.success(), "{}", said(output));
    let stdout = String::from_utf8_lossy(&output.stdout);
    stdout.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn the_self_check_runs_what_each_page_promises() {
    let desk = Desk::new();
    for part in ["Cargo.toml", "Cargo.lock", ".cargo", ".gitignore", "tests"] {
        copy(&Workbook::home().join(part), &desk.path(part));
    }
    let names = ["heartbeat::terminated", "heartbeat::interrupted"];
    let listed = listed(&desk.self_check(&["--list", "heartbeat"]));
    assert!(set(names).is_subset(&listed), "{listed:?}");
    for name in names {
        let output = desk.self_check(&["--exact", name]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("test {name} ... ok")), "{said}");
        assert!(said.contains("test result: ok. 1 passed; 0 failed; 0 ignored"), "{said}");
    }
    // It is the page that is held against the program.
    desk.edit(DEEPER, r#"says = ["beat 1", "beat 2"]"#, r#"says = ["beat 1", "beat 3"]"#);
    let output = desk.self_check(&["--exact", names[0]]);
    let line = desk.line(DEEPER, "```promise");
    assert_eq!(output.status.code(), Some(101));
    let said = said(&output);
    assert!(said.contains(&format!("{}: {DEEPER}:{line}\n", names[0])), "{said}");
}

#[test]
fn the_name_of_a_lesson_picks_what_belongs_to_it_and_nothing_else() {
    let desk = Desk::new();
    // The name of another lesson is part of this one's.
    let block = "\n```promise\nname = \"no-claims\"\nends = 3.5\nexit = 0\n```\n";
    desk.write(PROMISES, &format!("{PROMISES_TEXT}{block}"));
    let workbook = Workbook::load(desk.0.path()).expect("a workbook without problems");
    for chapter in &workbook.chapters {
        let name = &chapter.name;
        let mut expected = BTreeSet::new();
        for block in chapter.scenarios() {
            let full = block.says.full_name(name);
            let twins = block.says.twins.keys();
            expected.extend(twins.map(|language| format!("{}::{full}", language.key())));
            if block.says.language().is_none() {
                expected.insert(full);
            }
        }
        if chapter.lesson.is_some() {
            let kinds = ["exercise", "solution", "starter"];
            expected.extend(kinds.map(|kind| format!("{kind}::{name}")));
        }
        if workbook.root.join(&chapter.directory).join("compile-fail").is_dir() {
            expected.insert(format!("compile-errors::{name}"));
        }
        assert_eq!(listed(&desk.self_check(&["--list", name])), expected, "{name}");
    }
}
