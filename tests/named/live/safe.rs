//! Who may ask, and what may be asked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;

use libtest_mimic::Failed;
use nix::sys::signal::Signal;
use serde_json::json;
use ureq::http::Method;
use workshop::live::door::TOKEN;

use super::server::{Ask, SOON, Server, Start, wait_for};
use super::small::{LESSON, PAGE, SMALL, load};
use super::{Test, has, is};

/// What is refused: what is asked, the status of the answer, and its one line.
type Refusal = (&'static str, fn(&Server) -> Ask, u16, &'static str);

/// What a test does.
type Act = fn() -> Result<(), Failed>;

const ANEW: &str = "the book has been started anew: open the address that it has printed";
const OTHER: &str = "this request comes from another page";
const NO_WAY: &str = "this is asked for in another way";

const REFUSALS: [Refusal; 46] = [
    ("no token", |server| run(server).without(TOKEN), 403, ANEW),
    ("an empty token", |server| run(server).with(TOKEN, ""), 403, ANEW),
    ("a wrong token", |server| run(server).with(TOKEN, &"0".repeat(64)), 403, ANEW),
    ("a part of the token", |server| run(server).with(TOKEN, &server.token[1..]), 403, ANEW),
    ("the token in the address", in_the_address, 403, ANEW),
    ("the token as a cookie", as_a_cookie, 403, ANEW),
    ("no token for what is under way", |server| runs(server).without(TOKEN), 403, ANEW),
    ("no token for a page", |server| page(server).without(TOKEN), 403, ANEW),
    ("a foreign host", |server| from_host(server, "evil.example"), 403, "<address>"),
    ("localhost", |server| from_host(server, "localhost"), 403, "<address>"),
    (
        "a name that begins like ours",
        |server| from_host(server, "127.0.0.1.evil.example"),
        403,
        "<address>",
    ),
    ("no port", |server| run(server).with("host", "127.0.0.1"), 403, "<address>"),
    (
        "a foreign host, to read",
        |server| runs(server).with("host", "evil.example"),
        403,
        "<address>",
    ),
    ("another port", |server| run(server).with("origin", "http://127.0.0.1:1"), 403, OTHER),
    (
        "another scheme",
        |server| run(server).with("origin", &format!("https://{}", server.address)),
        403,
        OTHER,
    ),
    (
        "another name of ours",
        |server| run(server).with("origin", &format!("http://localhost:{}", server.address.port())),
        403,
        OTHER,
    ),
    (
        "an origin that begins like ours",
        |server| run(server).with("origin", &format!("http://{}.evil.example", server.address)),
        403,
        OTHER,
    ),
    ("an origin without a name", |server| run(server).with("origin", "null"), 403, OTHER),
    ("no origin", |server| run(server).without("origin"), 403, OTHER),
    ("an origin without a name, to read", |server| runs(server).with("origin", "null"), 403, OTHER),
    (
        "another port, to read",
        |server| runs(server).with("origin", "http://127.0.0.1:1"),
        403,
        OTHER,
    ),
    ("the same site", |server| run(server).with("sec-fetch-site", "same-site"), 403, OTHER),
    ("another site", |server| run(server).with("sec-fetch-site", "cross-site"), 403, OTHER),
    ("an address that is typed", |server| runs(server).with("sec-fetch-site", "none"), 403, OTHER),
    (
        "another site, to read",
        |server| runs(server).with("sec-fetch-site", "cross-site"),
        403,
        OTHER,
    ),
    ("a question beforehand", preflight, 403, OTHER),
    (
        "a question beforehand of our own",
        |server| of_ours(server, Method::OPTIONS, "/api/run"),
        405,
        NO_WAY,
    ),
    ("a run by GET", |server| server.get("/api/run"), 405, NO_WAY),
    ("a signal by GET", |server| server.get("/api/signal"), 405, NO_WAY),
    ("a stop by GET", |server| server.get("/api/stop"), 405, NO_WAY),
    ("a new start by GET", |server| server.get("/api/over"), 405, NO_WAY),
    ("a run by PUT", |server| of_ours(server, Method::PUT, "/api/run"), 405, NO_WAY),
    ("what is not there", |server| server.get("/api/shell"), 404, "there is nothing of this name"),
    (
        "a command that is not in the book",
        |server| asks(server, json!({ "id": "sh -c id", "page": PAGE })),
        400,
        "the book has no sh -c id",
    ),
    (
        "a path",
        |server| asks(server, json!({ "id": "../../bin/sh", "page": PAGE })),
        400,
        "the book has no ../../bin/sh",
    ),
    (
        "a test",
        |server| asks(server, json!({ "id": "starter::critical-worker", "page": PAGE })),
        400,
        "the book has no starter::critical-worker",
    ),
    (
        "a twin that is not run here",
        |server| asks(server, json!({ "id": "java::critical-worker", "page": PAGE })),
        400,
        "the book has no java::critical-worker",
    ),
    (
        "a number for a name",
        |server| asks(server, json!({ "id": 1, "page": PAGE })),
        400,
        "the request has no id",
    ),
    (
        "a program of another lesson",
        |server| asks(server, json!({ "id": LESSON, "page": "/glossary.html#one" })),
        400,
        "/glossary.html does not offer critical-worker",
    ),
    (
        "a page that is not there",
        |server| asks(server, json!({ "id": LESSON, "page": "/../index.html#one" })),
        400,
        "/../index.html does not offer critical-worker",
    ),
    (
        "a page without its load",
        |server| asks(server, json!({ "id": LESSON, "page": "/01-critical-worker.html" })),
        400,
        "the request has no page",
    ),
    ("no page", |server| asks(server, json!({ "id": LESSON })), 400, "the request has no page"),
    (
        "what is no JSON",
        |server| run(server).body("id=critical-worker"),
        400,
        "the request is no JSON: expected value at line 1 column 1",
    ),
    (
        "nothing",
        |server| run(server).body(""),
        400,
        "the request is no JSON: EOF while parsing a value at line 1 column 0",
    ),
    (
        "a signal that is not offered",
        |server| signals(server, "SIGSTOP", json!(1)),
        400,
        "SIGSTOP is not sent from here",
    ),
    (
        "a signal for a run that never was",
        |server| signals(server, "SIGTERM", json!(7)),
        400,
        "this run is over",
    ),
];

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    let refusals = REFUSALS.into_iter().map(|refusal| {
        Test::new(format!("safe::refused: {}", refusal.0), move || refused(refusal))
    });
    let others: [(&str, Act); 10] = [
        ("refused: a fourth exercise that is checked when it is saved", a_fourth_watch),
        ("refused: three megabytes", three_megabytes),
        ("refused: the token of another start", token_of_another_start),
        ("refused: no host, and two of them", hosts_that_no_browser_sends),
        ("refused: a fourth run", a_fourth_run),
        ("refused: signals before and after a program runs", signals_at_the_wrong_time),
        ("our own page may ask", our_own_page),
        ("each answer has its policy, and names its start", policies),
        ("no file but the book's is served", no_other_file),
        ("another name is told where to go, and may be added", another_name),
    ];
    let others = others.map(|(name, test)| Test::new(format!("safe::{name}"), test));
    refusals.chain(others).collect()
}

/// One that is only asked for what it refuses. It ends with this process.
static REFUSES: LazyLock<Server> =
    LazyLock::new(|| server().unwrap_or_else(|failed| panic!("{failed:?}")));

fn server() -> Result<Server, Failed> {
    Start::of(SMALL.root(), &SMALL.target())?.start()
}

fn asks(server: &Server, what: serde_json::Value) -> Ask {
    server.post("/api/run", &what)
}

fn run(server: &Server) -> Ask {
    asks(server, json!({ "id": LESSON, "page": PAGE }))
}

fn runs(server: &Server) -> Ask {
    server.get("/api/runs")
}

fn page(server: &Server) -> Ask {
    server.get("/api/page/01-critical-worker.html")
}

fn signals(server: &Server, signal: &str, run: serde_json::Value) -> Ask {
    server.post("/api/signal", &json!({ "signal": signal, "run": run }))
}

/// As where a name was made to point to this machine.
fn from_host(server: &Server, name: &str) -> Ask {
    let host = format!("{name}:{}", server.address.port());
    run(server).with("host", &host).with("origin", &format!("http://{host}"))
}

fn in_the_address(server: &Server) -> Ask {
    server.get(&format!("/api/runs?token={}", server.token)).without(TOKEN)
}

fn as_a_cookie(server: &Server) -> Ask {
    run(server).without(TOKEN).with("cookie", &format!("{TOKEN}={}", server.token))
}

fn of_ours(server: &Server, method: Method, path: &str) -> Ask {
    server.ask(method, path).with("origin", &format!("http://{}", server.address))
}

/// What a browser asks before it lets another page send a header of its own.
fn preflight(server: &Server) -> Ask {
    server
        .ask(Method::OPTIONS, "/api/run")
        .without(TOKEN)
        .with("origin", "http://evil.example")
        .with("sec-fetch-site", "cross-site")
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", TOKEN)
}

fn refused((_, ask, status, line): Refusal) -> Result<(), Failed> {
    let server = &*REFUSES;
    let answer = ask(server).answer()?;
    let address = format!("programs are run at http://{}/ alone: open that", server.address);
    let line = line.replace("<address>", &address);
    is("status and line", (answer.status, &*answer.text), (status, &line))?;
    for header in answer.headers.keys() {
        if header.as_str().starts_with("access-control-") || header == "set-cookie" {
            return Err(format!("the answer has {header}").into());
        }
    }
    is("what was started", server.under_way(), Vec::new())?;
    is("the guardian's directory", server.directory(), None)
}

fn token_of_another_start() -> Result<(), Failed> {
    let server = server()?;
    let earlier = REFUSES.token.clone();
    let answer = run(&server).with(TOKEN, &earlier).answer()?;
    is("status and line", (answer.status, &*answer.text), (403, ANEW))?;
    server.end(Signal::SIGTERM)
}

/// The answer to a request that is sent as it is.
fn raw(server: &Server, request: &str) -> Result<String, Failed> {
    let mut stream = TcpStream::connect(server.address)?;
    // Of what is refused before it has been sent, the end is never read.
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(request.replace('\n', "\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.is_empty() { read.map(|_| answer).map_err(Failed::from) } else { Ok(answer) }
}

/// Refused before all of it has been sent: whoever goes on may find the connection cut instead.
fn three_megabytes() -> Result<(), Failed> {
    let server = &*REFUSES;
    let (own, token, length) = (server.address, &server.token, 3 << 20);
    let request = format!(
        "POST /api/run HTTP/1.1\nhost: {own}\norigin: http://{own}\n{TOKEN}: {token}\n\
         content-length: {length}\nconnection: close\n\n{}",
        " ".repeat(1 << 15)
    );
    let answer = raw(server, &request)?;
    is("status", answer.starts_with("HTTP/1.1 413 "), true)?;
    has(&answer, "\r\n\r\nthis is too much to ask")
}

fn hosts_that_no_browser_sends() -> Result<(), Failed> {
    let server = &*REFUSES;
    let (own, token) = (server.address, &server.token);
    for hosts in [
        "",
        &format!("host: evil.example\nhost: {own}\n"),
        &format!("host: {own}\nhost: evil.example\n"),
    ] {
        let answer = raw(
            server,
            &format!("GET /api/runs HTTP/1.1\n{hosts}{TOKEN}: {token}\nconnection: close\n\n"),
        )?;
        if !answer.starts_with("HTTP/1.1 403") && !answer.starts_with("HTTP/1.1 400") {
            return Err(format!("{hosts:?}: {answer}").into());
        }
    }
    Ok(())
}

fn our_own_page() -> Result<(), Failed> {
    let server = server()?;
    let offers = page(&server).answer()?.json()?;
    let is_there = |id: &str| {
        offers["offers"]
            .as_array()
            .is_some_and(|offers| offers.iter().any(|offer| offer["id"] == id))
    };
    is(
        "the lesson and its exercise",
        [is_there(LESSON), is_there("exercise::critical-worker")],
        [true; 2],
    )?;
    // Without what older browsers do not send.
    is("status", runs(&server).without("sec-fetch-site").answer()?.status, 200)?;
    let mut stream = server.run(LESSON, PAGE)?;
    stream.until("picture")?;
    let known = runs(&server).answer()?.json()?;
    is(
        "what is under way",
        known,
        json!([{ "run": stream.run, "command": "cargo run -p critical-worker" }]),
    )?;
    is("status", signals(&server, "SIGTERM", json!(stream.run)).answer()?.status, 200)?;
    has(&stream.last()?["status"].to_string(), "SIGTERM ended it after")?;
    server.is_at_rest(1)?;
    is("status", server.post("/api/over", &json!({ "page": PAGE })).answer()?.status, 200)?;
    server.is_at_rest(0)?;
    server.end(Signal::SIGTERM)
}

fn a_fourth_run() -> Result<(), Failed> {
    let server = server()?;
    let mut streams = Vec::new();
    for page in ["one", "two", "three"] {
        let mut stream = server.run(LESSON, &load(page))?;
        stream.until("picture")?;
        streams.push(stream);
    }
    let fourth = run(&server).answer()?;
    let line = "3 runs are under way, which is as many as a browser has room for";
    is("status and line", (fourth.status, &*fourth.text), (409, line))?;
    let known = runs(&server).answer()?.json()?;
    is("how many are told", known.as_array().map(Vec::len), Some(3))?;
    // There is room again when one of the pages is closed.
    streams.pop();
    streams.push(wait_for("room for one more", || server.run(LESSON, &load("four")).ok())?);
    is("status", server.post("/api/stop", &json!({})).answer()?.status, 200)?;
    for mut stream in streams {
        let last = stream.last()?;
        has(&last.to_string(), "all were stopped")?;
    }
    server.is_at_rest(4)?;
    is("what is under way", runs(&server).answer()?.json()?, json!([]))?;
    server.end(Signal::SIGTERM)
}

/// One that waits for its exercise to be saved takes up a connection of the browser as well.
fn a_fourth_watch() -> Result<(), Failed> {
    let server = server()?;
    let exercise = "exercise::critical-worker";
    let job = json!({ "id": exercise, "page": PAGE, "on_save": true });
    let mut watches = Vec::new();
    for _ in 0..3 {
        let mut watch = server.post("/api/run", &job).stream()?;
        watch.until("done")?;
        watches.push(watch);
    }
    is("what is under way", server.under_way(), Vec::new())?;
    is("status", server.post("/api/run", &job).answer()?.status, 409)?;
    is("status", run(&server).answer()?.status, 409)?;
    // Whoever is told so hears of them, and can end them.
    let one =
        "cargo run -p critical-worker --bin critical-worker-exercise -- orders, when it is saved";
    let one = json!({ "command": one });
    let all = json!([one, one, one]);
    let told = || (runs(&server).answer().ok()?.json().ok()? == all).then_some(());
    wait_for("what is told", told)?;
    watches.pop();
    drop(wait_for("room for one more", || server.run(exercise, &load("two")).ok())?);
    is("status", server.post("/api/stop", &json!({})).answer()?.status, 200)?;
    for mut watch in watches {
        is("its end", watch.last()?, json!({ "over": "All were stopped." }))?;
    }
    is("what is told", runs(&server).answer()?.json()?, json!([]))?;
    server.is_at_rest(0)?;
    server.end(Signal::SIGTERM)
}

fn signals_at_the_wrong_time() -> Result<(), Failed> {
    let server = server()?;
    let mut stream = server.run(LESSON, PAGE)?;
    let early = signals(&server, "SIGTERM", json!(stream.run)).answer()?;
    is("status and line", (early.status, &*early.text), (400, "no program runs"))?;
    stream.until("picture")?;
    let other = signals(&server, "SIGTERM", json!(stream.run + 1)).answer()?;
    is("status and line", (other.status, &*other.text), (400, "this run is over"))?;
    let unsaid = signals(&server, "SIGTERM", json!("1")).answer()?;
    is("status and line", (unsaid.status, &*unsaid.text), (400, "the request has no run"))?;
    is("status", signals(&server, "SIGKILL", json!(stream.run)).answer()?.status, 200)?;
    has(&stream.last()?["status"].to_string(), "SIGKILL ended it after")?;
    let late = signals(&server, "SIGTERM", json!(stream.run)).answer()?;
    is("status and line", (late.status, &*late.text), (400, "this run is over"))?;
    server.is_at_rest(1)?;
    server.end(Signal::SIGTERM)
}

fn policies() -> Result<(), Failed> {
    let server = &*REFUSES;
    let first = server.get("/").answer()?;
    let again = server.get("/").with("if-modified-since", first.header("last-modified"));
    let timing = first.header("server-timing").to_owned();
    if timing.len() < 30 || timing.contains(&server.token) {
        return Err(format!("server-timing: {timing}").into());
    }
    let answers = [
        ("a page", first, 200),
        ("a page that is known", again.answer()?, 304),
        ("a page that is not there", server.get("/no-such-page.html").answer()?, 404),
        ("what the pages ask", page(server).answer()?, 200),
        ("what is refused", runs(server).without(TOKEN).answer()?, 403),
    ];
    for (what, answer, status) in answers {
        is(what, answer.status, status)?;
        is(what, answer.header("server-timing"), &timing)?;
        is(what, answer.header("cache-control"), "no-cache")?;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'; script-src 'self' 'sha256-",
            "connect-src 'self';",
            "frame-ancestors 'self';",
            "form-action 'none'",
        ] {
            has(policy, part)?;
        }
        // What stands in a page may not run, but for what mdBook has written there.
        let scripts =
            policy.split(';').find(|part| part.contains("script-src")).unwrap_or_default();
        is(what, scripts.contains("unsafe"), false)?;
        if answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")) {
            return Err(format!("{what}: {:?}", answer.headers).into());
        }
    }
    Ok(())
}

fn no_other_file() -> Result<(), Failed> {
    let server = &*REFUSES;
    let (own, token) = (server.address, &server.token);
    let ups = ["../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..\\", "..%5c", "/"];
    for up in ups {
        for path in ["", "api/page/"] {
            let path = format!("/{path}{}workbook/Cargo.toml", up.repeat(6));
            let request = format!(
                "GET {path} HTTP/1.1\nhost: {own}\n{TOKEN}: {token}\nconnection: close\n\n"
            );
            let answer = raw(server, &request)?;
            let is_nothing = answer.starts_with("HTTP/1.1 4") || answer.contains("\"offers\":[]");
            if !is_nothing || answer.contains("[workspace]") {
                return Err(format!("{path}: {answer}").into());
            }
        }
    }
    Ok(())
}

fn another_name() -> Result<(), Failed> {
    for (given, host) in
        [("laptop.example", "laptop.example:<port>"), ("localhost:4000", "localhost:4000")]
    {
        let server = Start::of(SMALL.root(), &SMALL.target())?.with(&["--host", given]).start()?;
        let host = host.replace("<port>", &server.address.port().to_string());
        let from =
            |host: &str| runs(&server).with("host", host).with("origin", &format!("http://{host}"));
        is(given, from(&host).answer()?.status, 200)?;
        is(given, runs(&server).answer()?.status, 200)?;
        // Each of the names has pages of its own.
        let mixed = from(&host).with("origin", &format!("http://{}", server.address)).answer()?;
        is(given, (mixed.status, &*mixed.text), (403, OTHER))?;
        let other = from("other.example:80").answer()?;
        let line = format!("programs are run at http://{}/ alone: open that", server.address);
        is(given, (other.status, &*other.text), (403, &line))?;
        // The pages themselves can be read.
        is(given, server.get("/").with("host", "other.example").answer()?.status, 200)?;
        server.end(Signal::SIGTERM)?;
    }
    Ok(())
}
