//! The book builds, nothing in it is broken or missing, and its reader stops on time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mdbook_driver::MDBook;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use named::pages::{nothing_is_wrong, pages};
use named::scratch::copy_of;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;
use tempfile::TempDir;
use workbook::outcomes::ending;
use workbook::programs;
use workbook::promise::Profile;
use workbook::promise::words::{Piece, Words};
use workbook::workbook::{CHAPTERS, Workbook};
use workshop::glossary::Glossary;
use workshop::preprocess::Workshop;

/// The program that `cargo run` starts.
static BOOK: LazyLock<PathBuf> = LazyLock::new(|| {
    let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
    programs.expect("cargo").remove("book").expect("the reader compiles")
});

/// The text of each rendered page, and nothing for any other file of the book, by path.
static FILES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let dest = TempDir::new().expect("a temporary directory");
    let output = book(&["build", "--dest", &dest.path().to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A file that cannot be included is only warned of.
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let mut files = BTreeMap::new();
    let mut directories = vec![dest.path().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("the book") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(dest.path()).expect("a file of the book");
            let is_page = path.extension().is_some_and(|extension| extension == "html");
            let text =
                if is_page { fs::read_to_string(&path).expect("a page") } else { String::new() };
            files.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    files
});

/// The rendered pages, by path; not what mdBook keeps for other pages to load.
static PAGES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let pages = FILES.iter().filter(|(name, _)| name.ends_with(".html") && *name != "toc.html");
    pages.map(|(name, text)| (name.clone(), text.clone())).collect()
});

fn book(arguments: &[&str]) -> Output {
    Command::new(&*BOOK).args(arguments).output().expect("the reader runs")
}

/// All matches of the only group of a pattern.
fn find<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).map(|found| found.get(1).expect("a group").as_str()).collect()
}

/// Words as a page has them, where code is told by its type and not by backticks.
fn plain(words: &Words) -> String {
    let plain = words.pieces().iter().map(|piece| match piece {
        Piece::Text(text) | Piece::Code(text) => text.as_str(),
    });
    plain.collect()
}

#[test]
fn every_promise_is_a_table_in_words() {
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    for page in workbook.chapters.iter().flat_map(|chapter| &chapter.pages) {
        let name = rendered(&page.path);
        let tables = find(r#"(?s)<div class="promise">(.*?)</div>"#, &PAGES[&name]);
        assert_eq!(tables.len(), page.promises.len(), "{name}");
        for (table, block) in tables.into_iter().zip(&page.promises) {
            for (_, promise) in block.says.promises() {
                let (words, lines) = match promise.listed() {
                    Some((words, lines)) => (words.to_owned(), lines),
                    None => (plain(&promise.words()), Vec::new()),
                };
                let text = text(table);
                for expected in
                    [plain(&promise.subject()), words].iter().map(String::as_str).chain(lines)
                {
                    assert!(text.contains(expected), "{name}: {expected}\n{text}");
                }
            }
        }
    }
}

#[test]
fn a_table_of_outcomes_says_what_its_scenarios_promise() {
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    for chapter in &workbook.chapters {
        for page in &chapter.pages {
            let name = rendered(&page.path);
            let tables = find(r#"(?s)<div class="outcomes">(.*?)</div>"#, &PAGES[&name]);
            assert_eq!(tables.len(), page.outcomes.len(), "{name}");
            for (table, block) in tables.into_iter().zip(&page.outcomes) {
                let rows = find(r"(?s)<tr>\s*(<th[^>]*row.*?)</tr>", table);
                assert_eq!(rows.len(), block.says.rows.len(), "{table}");
                for (html, row) in rows.into_iter().zip(&block.says.rows) {
                    let scenario = &chapter.scenario(&row.scenario).expect("a scenario").says;
                    let cells = find(r"(?s)<td[^>]*>\s*(\w+)\s*</td>", html);
                    let answers = block.says.columns.iter().map(|column| column.answer(scenario));
                    let expected: Vec<_> = answers
                        .map(|yes| if yes.expect("an answer") { "yes" } else { "no" })
                        .collect();
                    assert_eq!(cells, expected, "{}", row.scenario);
                    assert!(text(html).contains(&plain(&ending(scenario))), "{html}");
                }
            }
        }
    }
}

/// The name of the page that a file of the chapters becomes.
fn rendered(path: &Path) -> String {
    let page = path.strip_prefix(CHAPTERS).expect("a page").with_extension("html");
    page.to_string_lossy().into_owned()
}

/// What a reader sees of some HTML.
fn text(html: &str) -> String {
    let tags = Regex::new("<[^>]*>").expect("a pattern");
    let text = tags.replace_all(html, " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    // A space stands where a tag was; before punctuation it does not.
    text.replace(" ,", ",").replace(" ?", "?").replace("&amp;", "&")
}

#[test]
fn nothing_is_left_unrendered() {
    for (name, page) in &*PAGES {
        for leftover in
            ["{{#", "```", "language-promise", "language-measured", "language-outcomes", "ANCHOR"]
        {
            assert!(!page.contains(leftover), "{name} has {leftover}");
        }
    }
}

/// What leads or loads: in a page's text, in HTML that a chapter holds, and in a picture.
const LEADS: &str = r#"<[a-zA-Z]+\b[^>]*?\s(?:xlink:)?(?:href|src)=["']([^"']*)["']"#;

/// The line of the chapter that holds what a rendered page leads to, or else the page.
fn whence(page: &str, link: &str) -> String {
    let chapter = format!("book/chapters/{}.md", page.trim_end_matches(".html"));
    let text = fs::read_to_string(Workbook::home().join(&chapter)).unwrap_or_default();
    let written = [link.to_owned(), link.replace(".html", ".md")];
    let is_there = |line: &str| written.iter().any(|written| line.contains(written));
    match text.lines().position(is_there) {
        Some(index) => format!("{chapter}:{}", index + 1),
        None => page.to_owned(),
    }
}

#[test]
fn every_link_inside_the_book_leads_somewhere() {
    let ids: BTreeMap<_, BTreeSet<_>> = FILES
        .iter()
        .map(|(name, text)| (name.as_str(), find(r#"\sid=["']([^"']*)["']"#, text)))
        .map(|(name, ids)| (name, ids.into_iter().collect()))
        .collect();
    let mut broken = Vec::new();
    for (name, page) in &*FILES {
        for link in find(LEADS, page) {
            // The page for a wrong address may be shown at any: it says where the book begins.
            let is_base = name == "404.html" && link == "/";
            if link.contains("://") || link.starts_with("mailto:") || is_base {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { name } else { path };
            let fault = match ids.get(target) {
                None if target != "." => "there is no such file in the book",
                Some(ids) if !anchor.is_empty() && !ids.contains(anchor) => {
                    "the page has no such place"
                }
                _ => continue,
            };
            broken.push(format!("{}: {link}: {fault}", whence(name, link)));
        }
    }
    nothing_is_wrong(&broken);
}

#[test]
fn a_place_has_its_name_for_itself() {
    let mut wrong = Vec::new();
    for (name, page) in &*PAGES {
        let mut seen = BTreeSet::new();
        let ids = find(r#"\sid=["']([^"']*)["']"#, page);
        wrong.extend(
            ids.into_iter()
                .filter(|id| !seen.insert(*id))
                .map(|id| format!("{}: `#{id}` is there more than once", whence(name, id))),
        );
    }
    nothing_is_wrong(&wrong);
}

/// `cargo test -p named --test text` holds the links of the Markdown to their form.
#[test]
fn links_to_elsewhere_are_those_of_the_markdown() {
    let pages = pages();
    let links: Vec<_> = pages.iter().flat_map(|page| page.links()).collect();
    let known: BTreeSet<_> = links.iter().map(|link| link.to.as_str()).collect();
    let mut wrong = Vec::new();
    for (name, page) in &*PAGES {
        let foreign = find(LEADS, page).into_iter().filter(|link| link.contains("//"));
        wrong.extend(
            foreign.filter(|link| !known.contains(link.replace("&amp;", "&").as_str())).map(
                |link| {
                    format!(
                        "{name}: {link} is not a link of the chapter's Markdown; write it as one"
                    )
                },
            ),
        );
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn the_first_use_of_each_term_leads_to_the_glossary_and_no_other_does() {
    let source = Workbook::home().join("book/chapters/glossary.md");
    let glossary = Glossary::read(&fs::read_to_string(source).expect("the glossary"));
    let glossary = glossary.expect("no mistakes");
    let mut count = 0;
    for (name, page) in &*PAGES {
        if ["404.html", "glossary.html", "map.html", "print.html"].contains(&name.as_str()) {
            continue;
        }
        let (prose, linked) = prose_and_terms(find("(?s)<main>(.*)</main>", page)[0]);
        let mut seen = BTreeSet::new();
        let uses = glossary.uses(&prose, 0..prose.len()).into_iter();
        let first_uses = uses.filter(|(_, term)| seen.insert(&*term.id));
        let expected: Vec<_> =
            first_uses.map(|(range, term)| (range.start, &prose[range], &*term.id)).collect();
        let linked: Vec<_> =
            linked.iter().map(|(range, id)| (range.start, &prose[range.clone()], &**id)).collect();
        assert_eq!(linked, expected, "{name}");
        count += linked.len();
    }
    // The print page has the same links, to its own copy of the entries.
    let entries = find(r#"<dt id="([^"]*)""#, &PAGES["print.html"]);
    let links = find(r##"<a class="term" href="#([^"]*)""##, &PAGES["print.html"]);
    assert_eq!(links.len(), count);
    assert_eq!(links.iter().find(|link| !entries.contains(link)), None);
}

/// The running prose of a page, and where in it a word leads to which entry of the glossary. A
/// control character stands where the page has something else.
fn prose_and_terms(html: &str) -> (String, Vec<(Range<usize>, String)>) {
    let replace = |html: &str, pattern: &str, by: &str| {
        Regex::new(pattern).expect("a pattern").replace_all(html, by).into_owned()
    };
    let term = r#"(?s)<a class="term" href="glossary.html#([^"]*)">(.*?)</a>"#;
    let mut html = replace(html, term, "\u{1}$1\u{2}$2\u{3}");
    html = replace(&html, r#"(?s)<div class="(?:promise|measured|outcomes)">.*?</div>"#, "\u{0}");
    for other in ["figure", "code", "pre", "svg", "summary", "thead", "h1", "h2", "h3", "a"] {
        html = replace(&html, &format!(r"(?s)<{other}\b.*?</{other}>"), "\u{0}");
    }
    html = replace(&html, "(?s)<em>\u{201c}.*?</em>", "\u{0}");
    html = replace(&html, "<[^>]*>", "\u{0}");
    let (mut prose, mut terms) = (String::new(), Vec::new());
    for (index, part) in html.split('\u{1}').enumerate() {
        let mut rest = part;
        if index > 0 {
            let (id, after) = part.split_once('\u{2}').expect("a word");
            let (word, after) = after.split_once('\u{3}').expect("an end");
            terms.push((prose.len()..prose.len() + word.len(), id.to_owned()));
            prose.push_str(word);
            rest = after;
        }
        prose.push_str(rest);
    }
    (prose, terms)
}

#[test]
fn no_page_asks_another_host() {
    for (name, page) in &*PAGES {
        let loads = r#"<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)="([^"]*)""#;
        let foreign: Vec<_> =
            find(loads, page).into_iter().filter(|url| url.contains("//")).collect();
        assert_eq!(foreign, Vec::<&str>::new(), "{name}");
        assert!(!page.contains("play.rust-lang.org"), "{name} runs code elsewhere");
    }
}

#[test]
fn mdbook_gets_through_the_protocol_what_cargo_run_renders() {
    let root = Workbook::home().join("book").canonicalize().expect("the book");
    let loaded = MDBook::load(&root).expect("a book");
    let context = PreprocessorContext::new(root, loaded.config.clone(), "html".to_owned());
    let input = serde_json::to_vec(&(&context, &loaded.book)).expect("JSON");
    let mut child = Command::new(&*BOOK)
        .arg("preprocess")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reader runs");
    child.stdin.take().expect("a pipe").write_all(&input).expect("a reader of stdin");
    let output = child.wait_with_output().expect("an output");
    assert!(output.status.success());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("only JSON");
    let rendered = Workshop.run(&context, loaded.book).expect("a rendered book");
    assert_eq!(answer, serde_json::to_value(&rendered).expect("JSON"));

    assert!(book(&["preprocess", "supports", "html"]).status.success());
    assert_eq!(book(&["preprocess", "supports", "epub"]).status.code(), Some(1));
}

#[test]
fn a_mistake_in_a_chapter_is_one_line_and_keeps_the_last_book() {
    let scratch = scratch();
    let build = || {
        Command::new(&*BOOK)
            .args(["build", "--dest"])
            .arg(scratch.path().join("built"))
            .env("CARGO_MANIFEST_DIR", scratch.path().join("book"))
            .output()
            .expect("the reader runs")
    };
    assert!(build().status.success());
    let chapter = scratch.path().join("book/chapters/02-heartbeat.md");
    let text = fs::read_to_string(&chapter).expect("a chapter");
    fs::write(&chapter, text.replacen("ends = 3.5", "ends = 3.5\nexti = 0", 1)).expect("a chapter");
    let line = 2 + text.lines().position(|line| line == "ends = 3.5").expect("the promise");

    let output = build();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected = format!("book/chapters/02-heartbeat.md:{line}: unknown field `exti`");
    assert!(stderr.starts_with(&expected) && stderr.lines().count() == 1, "{stderr}");
    assert!(scratch.path().join("built/02-heartbeat.html").exists());
}

/// A copy of what the reader reads; its own `target/book` is not touched while someone reads it.
fn scratch() -> TempDir {
    copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"])
}

/// The reader while it serves a copy of the book.
struct Server {
    child: Child,
    address: SocketAddr,
    _scratch: TempDir,
}

impl Server {
    fn start(arguments: &[&str], path: Option<&Path>) -> Self {
        let scratch = scratch();
        let mut command = Command::new(&*BOOK);
        command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped());
        command.env("CARGO_MANIFEST_DIR", scratch.path().join("book"));
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let mut child = command.spawn().expect("the reader runs");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let line = stdout
            .lines()
            .map_while(Result::ok)
            .find(|line| line.starts_with("the book is open at"))
            .expect("the address");
        let address = find(r"http://([0-9.:]+)/", &line)[0].parse().expect("an address");
        Self { child, address, _scratch: scratch }
    }

    /// The status and the head of the answer to a request.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a signal; gives the exit code and the time until then.
    fn stop(mut self, signal: Signal) -> (Option<i32>, Duration) {
        let start = Instant::now();
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("a process");
        let status = self.child.wait().expect("an end");
        (status.code(), start.elapsed())
    }
}

#[test]
fn the_reader_serves_the_book_and_stops_on_time() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = Server::start(&[], None);
        assert!(server.get("/").starts_with("HTTP/1.1 200"));
        assert!(server.get("/02-heartbeat.html").contains("<div class=\"promise\">"));
        let missing = server.get("/no-such-page.html");
        assert!(missing.starts_with("HTTP/1.1 404") && missing.contains("<html"), "{missing}");

        // What a browser leaves open: a connection that waits for its next request, one that has
        // asked for nothing yet, one in the middle of its request.
        let mut idle = TcpStream::connect(server.address).expect("a connection");
        write!(idle, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("a request");
        idle.read_exact(&mut [0; 15]).expect("an answer");
        let _silent = TcpStream::connect(server.address).expect("a connection");
        let mut half = TcpStream::connect(server.address).expect("a connection");
        write!(half, "GET / HTTP/1.1\r\nhost: loc").expect("half a request");

        let (code, time) = server.stop(signal);
        assert_eq!(code, Some(0), "{signal}");
        assert!(time < Duration::from_secs(1), "{signal}: {time:?}");
    }
}

#[test]
fn a_taken_port_is_named_with_the_flag() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = book(&["--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("port {port} is taken; choose another one with --port, or --port 0 for any\n")
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn open_starts_the_browser_with_the_address() {
    let directory = TempDir::new().expect("a temporary directory");
    let browser = directory.path().join("xdg-open");
    let seen = directory.path().join("seen");
    fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > {}\n", seen.display()))
        .expect("a script");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("a program");
    let server = Server::start(&["--open"], Some(directory.path()));
    let wanted = format!("http://{}/\n", server.address);
    let limit = Instant::now() + Duration::from_secs(5);
    while fs::read_to_string(&seen).unwrap_or_default() != wanted && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(fs::read_to_string(&seen).unwrap_or_default(), wanted);
    server.stop(Signal::SIGTERM);
}

#[test]
fn without_strace_the_recorder_says_what_it_can_do() {
    let empty = TempDir::new().expect("a temporary directory");
    let output = Command::new(&*BOOK).arg("record").env("PATH", empty.path()).output();
    let output = output.expect("the reader runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "cannot record here: it takes Linux and strace (on Debian, apt install strace) to see when \
         threads are born and end; the recordings that are there can be shown and checked\n"
    );
}

#[test]
fn a_directory_that_is_not_a_book_is_not_emptied() {
    let home = TempDir::new().expect("a temporary directory");
    let dest = home.path().to_string_lossy();
    assert!(book(&["build", "--dest", &dest]).status.success());
    // An earlier book is written anew.
    assert!(book(&["build", "--dest", &dest]).status.success());
    fs::remove_file(home.path().join(".nojekyll")).expect("a file of mdBook's");
    let output = book(&["build", "--dest", &dest]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("choose another directory"));
    assert!(home.path().join("index.html").exists());
}

#[test]
fn a_picture_is_no_burden_to_its_page() {
    for (name, page) in &*PAGES {
        for picture in find(r#"(?s)(<figure class="recording">.*?</figure>)"#, page) {
            assert!(picture.len() < 30_000, "{name} has a picture of {} bytes", picture.len());
        }
    }
}

/// A heading is a question, and below it each answer that leads to a lesson is a link in bold type.
#[test]
fn the_decision_tree_and_its_text_say_the_same() {
    let page = &PAGES["which-thread.html"];
    let (tree, below) = find(r#"(?s)<div class="tree">(.*?)</div>"#, page)
        .first()
        .and_then(|tree| Some((*tree, page.split_once(tree)?.1)))
        .expect("a tree");
    let questions: Vec<_> = find(r"<strong>(.*?)</strong>", tree)
        .iter()
        .enumerate()
        .map(|(index, question)| text(&format!("{}. {question}", index + 1)))
        .collect();
    let told: Vec<_> = find(r"(?s)<h3[^>]*>(.*?)</h3>", below).into_iter().map(text).collect();
    assert_eq!(questions, told, "the tree's questions, and the headings below it");
    let leaves = find(r"(?s)<em>((?:yes|no)</em> <a.*?</a>)", tree);
    let told: Vec<_> = find(r"(?s)((?:Yes|No): <strong><a.*?</a>)</strong>", below)
        .iter()
        .map(|leaf| leaf.replace("Yes: <strong>", "yes</em> ").replace("No: <strong>", "no</em> "))
        .collect();
    assert_eq!(leaves, told, "the tree's answers, and those in bold type below it");
    assert!(leaves.len() > questions.len(), "{leaves:?}");
    for leaf in leaves {
        let file: u8 = find(r#"href="(\d+)-"#, leaf)[0].parse().expect("a lesson's number");
        assert!(leaf.contains(&format!("({file})</a>")), "{leaf}");
    }
}

#[test]
fn our_own_script_is_no_burden_either() {
    let script = include_str!("../../book/theme/workbook.js");
    assert!(script.len() < 10_000, "book/theme/workbook.js has {} bytes", script.len());
}

#[test]
fn a_forgotten_flag_is_guessed() {
    let said = |word| {
        let output = book(&[word]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(said("heartbeat"), "`heartbeat` is a lesson: `cargo run -p heartbeat` runs it\n");
    assert_eq!(said("sing"), "there is no command `sing`; `cargo run -- --help` lists them\n");
}

#[test]
fn every_page_is_in_the_summary_once() {
    let written: BTreeSet<_> = fs::read_dir(Workbook::home().join("book/chapters"))
        .expect("the chapters")
        .map(|entry| entry.expect("a page").path().with_extension("html"))
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .filter(|name| name != "SUMMARY.html")
        .collect();
    let rendered: BTreeSet<_> = PAGES
        .keys()
        .filter(|name| !["404.html", "print.html"].contains(&name.as_str()))
        .cloned()
        .collect();
    assert_eq!(rendered, written);
}
