//! The book builds, nothing in it is broken or missing, and its reader stops on time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use mdbook_driver::MDBook;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use named::pages::{nothing_is_wrong, pages, rendered, rendered_pages};
use named::scratch::{copy_of, files_in};
use named::self_check::guarded;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scraper::selectable::Selectable;
use scraper::{ElementRef, Html, HtmlTreeSink, Node, Selector};
use tempfile::TempDir;
use workbook::outcomes::ending;
use workbook::programs;
use workbook::promise::Profile;
use workbook::promise::words::{Piece, Words};
use workbook::workbook::{CHAPTERS, Workbook};
use workshop::glossary::Glossary;
use workshop::place::MARK;
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
    let files = files_in(dest.path()).into_iter().map(|path| {
        let name = path.strip_prefix(dest.path()).expect("a file of the book");
        let is_page = path.extension().is_some_and(|extension| extension == "html");
        let text = if is_page { fs::read_to_string(&path).expect("a page") } else { String::new() };
        (name.to_string_lossy().into_owned(), text)
    });
    files.collect()
});

/// The rendered pages, by path; not what mdBook keeps for other pages to load.
static PAGES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let pages = FILES.iter().filter(|(name, _)| is_page(name));
    pages.map(|(name, text)| (name.clone(), text.clone())).collect()
});

/// All that is HTML, parsed, by path.
static TREES: LazyLock<Mutex<BTreeMap<String, Html>>> = LazyLock::new(|| {
    let html = FILES.iter().filter(|(name, _)| name.ends_with(".html"));
    Mutex::new(html.map(|(name, text)| (name.clone(), parsed(text))).collect())
});

fn is_page(name: &str) -> bool {
    name.ends_with(".html") && name != "toc.html"
}

/// HTML as a reader without scripts has it: to the others, what is in a `noscript` is mere text.
fn parsed(html: &str) -> Html {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    parse_document(HtmlTreeSink::new(Html::new_document()), options).one(html)
}

/// The trees, for one test at a time: an element notes down what it was asked for, and so cannot be
/// shared.
fn trees() -> MutexGuard<'static, BTreeMap<String, Html>> {
    // A test that fails has changed nothing in them.
    TREES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a selector of CSS matches in a page or below an element, in order.
fn find<'a>(selector: &str, within: impl Selectable<'a>) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    within.select(&selector).collect()
}

/// What a reader sees of an element.
fn text(element: ElementRef<'_>) -> String {
    in_one_line(&element.text().collect::<String>())
}

/// A text as a browser shows it, where it does not keep white space.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn book(arguments: &[&str]) -> Output {
    Command::new(&*BOOK).args(arguments).output().expect("the reader runs")
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
    let trees = trees();
    for page in workbook.chapters.iter().flat_map(|chapter| &chapter.pages) {
        let name = rendered(&page.path);
        let exams = find("div.promise.exam", &trees[&name]);
        let told = exams.iter().map(|table| find("code", *table).into_iter().map(text).collect());
        let told: Vec<Vec<_>> = told.collect();
        assert_eq!(told.len(), page.exams.len(), "{name}");
        for (told, block) in told.iter().zip(&page.exams) {
            let mut trials = block.says.starter_passes.iter();
            assert!(trials.all(|trial| told.contains(trial)), "{name}: {told:?}");
        }
        let tables = find("div.promise:not(.exam)", &trees[&name]);
        assert_eq!(tables.len(), page.promises.len(), "{name}");
        for (table, block) in tables.into_iter().zip(&page.promises) {
            // What a second run keeps as well is not said twice.
            let promises = block.says.promises().filter(|(run, _)| *run == 0 || !block.says.twice);
            let promises = promises.map(|(_, promise)| {
                let (words, lines) = match promise.listed() {
                    Some((words, lines)) => (words.to_owned(), lines),
                    None => (plain(&promise.words()), Vec::new()),
                };
                let lines = lines.into_iter().map(in_one_line).collect();
                (in_one_line(&plain(&promise.subject())), in_one_line(&words), lines)
            });
            assert_eq!(promised(table), promises.collect::<Vec<_>>(), "{name}");
        }
    }
}

/// The rows of a promise's table: what each is about, what is said of it, and the lines in its list.
fn promised(table: ElementRef<'_>) -> Vec<(String, String, Vec<String>)> {
    let mut rows = Vec::new();
    let mut subject = String::new();
    for row in find("tr", table) {
        if let [head] = find("th", row)[..] {
            subject = text(head);
        }
        // Without a cell, the row is a heading inside the table.
        let [cell] = find("td", row)[..] else { continue };
        // What the check does itself is no promise.
        if subject != "the check" {
            let lines: Vec<_> = find("li", cell).into_iter().map(text).collect();
            let words = match lines[..] {
                [] => text(cell),
                _ => in_one_line(cell.text().next().expect("words above a list")),
            };
            rows.push((subject.clone(), words, lines));
        }
    }
    rows
}

#[test]
fn a_table_of_outcomes_says_what_its_scenarios_promise() {
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    let trees = trees();
    for chapter in &workbook.chapters {
        for page in &chapter.pages {
            let name = rendered(&page.path);
            let tables = find("div.outcomes", &trees[&name]);
            assert_eq!(tables.len(), page.outcomes.len(), "{name}");
            for (table, block) in tables.into_iter().zip(&page.outcomes) {
                let rows = find("tr:has(> th[scope=row])", table);
                assert_eq!(rows.len(), block.says.rows.len(), "{name}: {}", table.html());
                for (html, row) in rows.into_iter().zip(&block.says.rows) {
                    let scenario = &chapter.scenario(&row.scenario).expect("a scenario").says;
                    let cells: Vec<_> = find("td", html).into_iter().map(text).collect();
                    let answers = block.says.columns.iter().map(|column| column.answer(scenario));
                    let expected: Vec<_> = answers
                        .map(|yes| if yes.expect("an answer") { "yes" } else { "no" })
                        .collect();
                    assert_eq!(cells, expected, "{}", row.scenario);
                    let endings: Vec<_> = find("th .ending", html).into_iter().map(text).collect();
                    assert_eq!(endings, [plain(&ending(scenario))], "{}", row.scenario);
                }
            }
        }
    }
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

/// What leads or loads: in a page's text, in HTML that a chapter holds, and in a picture, where it
/// may be called `xlink:href`.
fn leads(page: &Html) -> Vec<&str> {
    let elements = page.root_element().descendent_elements();
    let attributes = elements.flat_map(|element| element.value().attrs());
    attributes.filter(|(name, _)| ["href", "src"].contains(name)).map(|(_, link)| link).collect()
}

/// The places in a page that a link can lead to, in order.
fn ids(page: &Html) -> Vec<&str> {
    find("[id]", page).into_iter().filter_map(|element| element.attr("id")).collect()
}

/// The path in the book that a link of a page leads to.
fn target(page: &str, path: &str) -> PathBuf {
    if path.is_empty() {
        return PathBuf::from(page);
    }
    let mut target = Path::new(page).parent().expect("a directory").to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir if target != Path::new("") => drop(target.pop()),
            Component::CurDir => {}
            // Above the book, or away from it, it is no path of it.
            component => target.push(component),
        }
    }
    target
}

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
    let trees = trees();
    let ids: BTreeMap<_, BTreeSet<_>> = FILES
        .keys()
        .map(|name| (Path::new(name), trees.get(name).map(ids).into_iter().flatten().collect()))
        .collect();
    let mut broken = Vec::new();
    for (name, page) in &*trees {
        for link in leads(page) {
            // The page for a wrong address may be shown at any: it says where the book begins.
            let is_base = name == "404.html" && link == "/";
            if link.contains("://") || link.starts_with("mailto:") || is_base {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = target(name, path);
            // The server shows a directory as its first page.
            let places = ids.get(&*target).or_else(|| ids.get(&*target.join("index.html")));
            let fault = match places {
                None => "there is no such file in the book",
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
    for (name, page) in trees().iter().filter(|(name, _)| is_page(name)) {
        let mut seen = BTreeSet::new();
        wrong.extend(
            ids(page)
                .into_iter()
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
    for (name, page) in trees().iter().filter(|(name, _)| is_page(name)) {
        let foreign = leads(page).into_iter().filter(|link| link.contains("//"));
        wrong.extend(foreign.filter(|link| !known.contains(link)).map(|link| {
            format!("{name}: {link} is not a link of the chapter's Markdown; write it as one")
        }));
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn the_first_use_of_each_term_leads_to_the_glossary_and_no_other_does() {
    let source = Workbook::home().join("book/chapters/glossary.md");
    let glossary = Glossary::read(&fs::read_to_string(source).expect("the glossary"));
    let glossary = glossary.expect("no mistakes");
    let mut count = 0;
    let trees = trees();
    for (name, page) in trees.iter().filter(|(name, _)| is_page(name)) {
        if ["404.html", "glossary.html", "map.html", "print.html"].contains(&name.as_str()) {
            continue;
        }
        let [main] = find("main", page)[..] else { panic!("{name} has no main part") };
        let mut prose = Prose::default();
        prose.read(main, name);
        let Prose { text: prose, terms: linked } = prose;
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
    let page = &trees["print.html"];
    let entries: BTreeSet<_> = find("dt[id]", page).iter().map(|entry| entry.attr("id")).collect();
    let links = find("a.term", page);
    let links = links.iter().map(|link| link.attr("href").expect("a link").strip_prefix('#'));
    assert_eq!(links.clone().count(), count);
    assert_eq!(links.clone().find(|link| link.is_none() || !entries.contains(link)), None);
}

/// What of a page is no running prose.
static OTHER: LazyLock<Selector> = LazyLock::new(|| {
    let other = "figure, code, pre, svg, summary, thead, h1, h2, h3, a:not(.term), \
                 div.promise, div.measured, div.outcomes";
    Selector::parse(other).expect("a selector")
});

/// The running prose of a page.
#[derive(Default)]
struct Prose {
    /// A control character stands where the page has something else.
    text: String,
    /// Where in the text a word leads to which entry of the glossary.
    terms: Vec<(Range<usize>, String)>,
}

impl Prose {
    /// Reads what is in an element of a page.
    fn read(&mut self, element: ElementRef<'_>, page: &str) {
        for child in element.children() {
            let element = match (child.value(), ElementRef::wrap(child)) {
                (Node::Text(text), _) => {
                    self.text.push_str(text);
                    continue;
                }
                (_, Some(element)) if !is_other(element) => element,
                _ => {
                    self.text.push('\0');
                    continue;
                }
            };
            if element.value().name() == "a" {
                let start = self.text.len();
                self.text.extend(element.text());
                self.terms.push((start..self.text.len(), entry(element, page)));
            } else {
                self.text.push('\0');
                self.read(element, page);
                self.text.push('\0');
            }
        }
    }
}

/// Whether an element is no prose. What is quoted from a manual uses its words in its own sense.
fn is_other(element: ElementRef<'_>) -> bool {
    let is_quoted = || element.value().name() == "em" && text(element).starts_with('\u{201c}');
    OTHER.matches(&element) || is_quoted()
}

/// The entry of the glossary that a term of a page leads to, or else the link.
fn entry(term: ElementRef<'_>, page: &str) -> String {
    let link = term.attr("href").expect("a link");
    match link.split_once('#') {
        Some((path, id)) if target(page, path) == Path::new("glossary.html") => id.to_owned(),
        _ => link.to_owned(),
    }
}

#[test]
fn no_page_asks_another_host() {
    for (name, page) in trees().iter().filter(|(name, _)| is_page(name)) {
        let loads = find("[src], link[href], source[href]", page).into_iter();
        let foreign: Vec<_> = loads
            .flat_map(|element| [element.attr("src"), element.attr("href")])
            .flatten()
            .filter(|url| url.contains("//"))
            .collect();
        assert_eq!(foreign, Vec::<&str>::new(), "{name}");
        assert!(!PAGES[name].contains("play.rust-lang.org"), "{name} runs code elsewhere");
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
    scratch: TempDir,
}

impl Server {
    fn start(arguments: &[&str], path: Option<&Path>) -> Self {
        let scratch = scratch();
        let mut command = guarded(&*BOOK);
        command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped());
        command.env("CARGO_MANIFEST_DIR", scratch.path().join("book"));
        command.env("MDBOOK_BUILD__BUILD_DIR", scratch.path().join("target/book"));
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
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.and_then(|address| address.parse().ok()).expect("an address");
        Self { child, address, scratch }
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

/// Also where a test fails: who waits for the end of its output would wait for the server's.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
fn promises_are_printed_one_a_line_and_pages_with_their_figures() {
    let printed = |arguments: &[&str]| {
        let output = book(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    let pages = || workbook.chapters.iter().flat_map(|chapter| &chapter.pages);
    let promises = printed(&["promises"]);
    let lines: Vec<_> = promises.lines().collect();
    let blocks = pages().map(|page| page.promises.len() + page.exams.len());
    assert_eq!(lines.len(), blocks.sum::<usize>());
    assert!(lines.is_sorted(), "the lines are not sorted");
    let places = printed(&["promises", "--places"]);
    let stripped = places.lines().map(|line| line.splitn(3, ':').nth(2).unwrap_or_default().trim());
    assert!(stripped.eq(lines), "another line with its place than without");
    for block in pages().flat_map(|page| &page.promises) {
        assert!(places.contains(&format!("{}: ", block.place)), "{}", block.place);
    }
    let table = printed(&["pages"]);
    let rows: Vec<_> = table.lines().skip(1).map(|row| row.split(' ').next()).collect();
    for page in pages().chain(&workbook.others) {
        let name = page.path.strip_prefix(CHAPTERS).expect("a chapter").to_str();
        assert!(rows.contains(&name), "{name:?} is not among {rows:?}");
    }
}

#[test]
fn an_open_book_is_whole_while_it_is_built_again() {
    let server = Server::start(&[], None);
    let root = server.scratch.path();
    let mut build = guarded(&*BOOK)
        .arg("build")
        .env("CARGO_MANIFEST_DIR", root.join("book"))
        .env("MDBOOK_BUILD__BUILD_DIR", root.join("target/book"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the reader runs");
    let mut count = 0;
    while build.try_wait().expect("a process").is_none() {
        let answer = server.get("/02-heartbeat.html");
        assert!(answer.starts_with("HTTP/1.1 200"), "request {count}: {answer}");
        count += 1;
    }
    assert!(build.wait().expect("an end").success());
    assert!(count > 10, "only {count} requests were made meanwhile");
    // The earlier book is gone, and nothing is left beside the new one.
    let left: Vec<_> = fs::read_dir(root.join("target"))
        .expect("the book's directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["book"]);
    server.stop(Signal::SIGTERM);
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
    let told = || fs::read_to_string(&seen).unwrap_or_default();
    within(Duration::from_secs(5), || told().ends_with('\n'));
    // Everybody can read the arguments of a process, and nobody else this file.
    let told = PathBuf::from(told().trim_end());
    let mode = fs::metadata(&told).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let page = fs::read_to_string(&told).expect("a page");
    assert!(page.contains(&format!("url=http://{}/#token=", server.address)), "{page}");
    server.stop(Signal::SIGTERM);
    within(Duration::from_secs(2), || !told.exists());
}

/// Holds that something comes to be so.
#[track_caller]
fn within(time: Duration, is_so: impl Fn() -> bool) {
    let limit = Instant::now() + time;
    while !is_so() {
        assert!(Instant::now() < limit, "not within {time:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_directory_that_is_not_a_book_is_not_emptied() {
    let home = TempDir::new().expect("a temporary directory");
    let dest = home.path().to_string_lossy();
    assert!(book(&["build", "--dest", &dest]).status.success());
    // An earlier book is written anew.
    assert!(book(&["build", "--dest", &dest]).status.success());
    fs::remove_file(home.path().join(MARK)).expect("the mark of our own book");
    let output = book(&["build", "--dest", &dest]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("choose another directory"));
    assert!(home.path().join("index.html").exists());
}

#[test]
fn a_picture_is_no_burden_to_its_page() {
    let trees = trees();
    let pictures = trees.iter().filter(|(name, _)| is_page(name)).flat_map(|(name, page)| {
        find("figure.recording", page).into_iter().map(move |picture| (name, picture.html().len()))
    });
    let mut count = 0;
    for (name, size) in pictures {
        assert!(size < 30_000, "{name} has a picture of {size} bytes");
        count += 1;
    }
    assert!(count > 0, "no page has a picture");
}

/// A heading is a question, and below it each answer that leads to a lesson is a link in bold type.
#[test]
fn the_decision_tree_and_its_text_say_the_same() {
    let trees = trees();
    let page = &trees["which-thread.html"];
    let [tree] = find("div.tree", page)[..] else { panic!("not one tree") };
    let questions: Vec<_> = (1..)
        .zip(find("strong", tree))
        .map(|(number, question)| format!("{number}. {}", text(question)))
        .collect();
    let told: Vec<_> = find("div.tree ~ h3", page).into_iter().map(text).collect();
    assert_eq!(questions, told, "the tree's questions, and the headings below it");
    // An answer, and the link to its lesson.
    let leaves: Vec<_> = find("em + a", tree)
        .into_iter()
        .filter_map(|link| Some((text(link.prev_siblings().find_map(ElementRef::wrap)?), link)))
        .filter(|(answer, _)| answer == "yes" || answer == "no")
        .collect();
    let told: Vec<_> = find("div.tree ~ * strong > a:only-child", page)
        .into_iter()
        .filter_map(|link| {
            let before = link.parent()?.prev_sibling()?.value().as_text()?;
            let answers = [("Yes: ", "yes"), ("No: ", "no")];
            let answer = answers.into_iter().find(|(begins, _)| before.ends_with(begins))?.1;
            Some((answer.to_owned(), link.html()))
        })
        .collect();
    let asked: Vec<_> = leaves.iter().map(|(answer, link)| (answer.clone(), link.html())).collect();
    assert_eq!(asked, told, "the tree's answers, and those in bold type below it");
    assert!(leaves.len() > questions.len(), "{leaves:?}");
    for (_, link) in leaves {
        let page = link.attr("href").expect("a link");
        let file = page.split('-').next().and_then(|number| number.parse::<u8>().ok());
        let file = file.expect("a lesson's number");
        assert!(text(link).ends_with(&format!("({file})")), "{}", link.html());
    }
}

#[test]
fn our_own_scripts_are_no_burden_either() {
    let scripts =
        [include_str!("../../book/theme/workbook.js"), include_str!("../../book/theme/live.js")];
    let bytes: usize = scripts.iter().map(|script| script.len()).sum();
    assert!(bytes < 20 * 1024, "book/theme/workbook.js and live.js have {bytes} bytes");
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
    let written: BTreeSet<_> = rendered_pages().into_iter().collect();
    let rendered: BTreeSet<_> = PAGES
        .keys()
        .filter(|name| !["404.html", "print.html"].contains(&name.as_str()))
        .cloned()
        .collect();
    assert_eq!(rendered, written);
}
