//! The live page: while this program serves the book, its pages can run what they tell of.
//!
//! A page asks what it has to [`offer`], and for each press of a button there is one request whose answer
//! is a stream: lines of JSON, from the build to the verdict of a [`run`]. The run ends with its stream. Who
//! may ask at all is decided at the [`door`].

pub mod door;
pub mod offer;
pub mod run;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Path as Asked, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use nix::sys::signal::Signal;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use workbook::exercise::Progress;
use workbook::run::{Gate, end_runs_with_this_process, temporary_directory};
use workbook::tracer::beside;
use workbook::workbook::Workbook;

use self::door::Door;
use self::offer::{Job, Subject};
use self::run::Live;

/// A browser opens six connections to a host; with more streams than these another page would hang.
const STREAMS: usize = 3;

/// How many pages have directories of their own; the one that was used least lately loses its own.
const DIRECTORIES: usize = 8;

/// What a page asks is a few words.
const MOST_ASKED: usize = 16 << 10;

/// A picture is drawn no more often than this, and at least as often as that.
const FRAME: Duration = Duration::from_millis(80);
const AT_LEAST: Duration = Duration::from_millis(250);

/// How long a run that was told to end may be in the way of the next one.
const LEAVES: Duration = Duration::from_secs(5);

/// A file that is saved changes several times in a row.
const QUIET: Duration = Duration::from_millis(200);

/// What the live pages of one start share.
pub struct Bench {
    workbook: Workbook,
    jobs: Vec<Job>,
    /// Who may ask.
    pub door: Door,
    gate: Arc<Gate>,
    numbers: AtomicU64,
    /// Why the ends of threads cannot be seen here, if they cannot.
    untraced: Option<String>,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The runs whose streams are open, by number.
    runs: BTreeMap<u64, Arc<Live>>,
    /// All that were begun and may not have come to their end yet.
    begun: Vec<Weak<Live>>,
    /// Whether no more may begin.
    is_closed: bool,
    streams: usize,
    /// Those of them that wait for an exercise to be saved, some of which are gone.
    watches: Vec<Weak<Watch>>,
    /// The directories of the pages, the one used last at the end.
    directories: Vec<(String, Arc<TempDir>, Weak<Live>)>,
    /// How far the exercises are that were run.
    progress: BTreeMap<String, Progress>,
}

impl Shared {
    /// The directory of a page, which its runs share until it starts over; none while one of them is in it:
    /// two at once would change each other's files.
    fn directory(&mut self, page: &str) -> io::Result<Option<Arc<TempDir>>> {
        let known = self.directories.iter().position(|(name, ..)| name == page);
        let last = known.and_then(|index| self.directories[index].2.upgrade());
        if last.is_some_and(|last| is_under_way(&last)) {
            return Ok(None);
        }
        let directory = match known.map(|index| self.directories.remove(index)) {
            Some((_, directory, _)) if directory.path().is_dir() => directory,
            _ => Arc::new(temporary_directory()?),
        };
        self.directories.push((page.to_owned(), Arc::clone(&directory), Weak::new()));
        if self.directories.len() > DIRECTORIES {
            self.directories.remove(0);
        }
        Ok(Some(directory))
    }

    /// Whether a run of a page is about to leave its directory: it has been told to end, or its button was
    /// pressed again, which is heard at times before the end of its stream.
    fn is_leaving(&self, page: &str, id: &str) -> bool {
        let last = self.directories.iter().find(|(name, ..)| name == page);
        let last = last.and_then(|(.., last)| last.upgrade()).filter(is_under_way);
        last.is_some_and(|last| !self.runs.contains_key(&last.number) || last.job.id == id)
    }
}

fn is_under_way(live: &Arc<Live>) -> bool {
    live.outcome().is_none()
}

/// An answer for a page: one line that says why not.
type Refusal = (StatusCode, String);

impl Bench {
    /// A bench for a workbook.
    pub fn new(workbook: Workbook, door: Door) -> Arc<Self> {
        let jobs = offer::jobs(&workbook);
        Arc::new(Self {
            workbook,
            jobs,
            door,
            gate: Arc::new(Gate::new()),
            numbers: AtomicU64::new(1),
            untraced: beside::is_allowed().err(),
            shared: Mutex::default(),
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all runs that are under way.
    fn stop_all(&self, why: &'static str) {
        for live in self.shared().runs.values() {
            live.stop(why);
        }
    }

    /// Ends all runs that are under way, and lets no more begin.
    pub fn close(&self) {
        self.shared().is_closed = true;
        self.stop_all("the book is closed");
    }

    /// Whether all runs that were begun have come to their end, and their builds with them.
    pub fn is_idle(&self) -> bool {
        self.shared().begun.iter().filter_map(Weak::upgrade).all(|live| live.outcome().is_some())
    }

    /// The way to all that is more than a page.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/page/{*page}", get(page))
            .route("/runs", get(runs))
            .route("/run", post(run))
            .route("/signal", post(signal))
            .route("/stop", post(stop))
            .route("/over", post(over))
            .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing of this name") })
            .method_not_allowed_fallback(|| async {
                (StatusCode::METHOD_NOT_ALLOWED, "this is asked for in another way")
            })
            .layer(DefaultBodyLimit::max(MOST_ASKED))
            .layer(middleware::from_fn_with_state(Arc::clone(&self), at_the_door))
            .with_state(self)
    }

    /// What a page has to offer, by its path in the book.
    fn offers(&self, page: &str) -> Value {
        let page = Some(page.trim_start_matches('/')).filter(|page| !page.is_empty());
        let source = Path::new(page.unwrap_or("index.html")).with_extension("md");
        offer::of_page(&self.workbook, &self.jobs, &source)
    }

    fn start(&self, job: &Job, page: &str) -> io::Result<Arc<Live>> {
        end_runs_with_this_process(None)?;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (root, gate) = (self.workbook.root.clone(), Arc::clone(&self.gate));
        // Whoever closes the book sees this run, or it sees that.
        let mut shared = self.shared();
        if shared.is_closed {
            return Err(io::Error::other("the book is closed"));
        }
        let directory = match job.subject {
            // The same each time, as `cargo test` has it.
            Subject::Exercise { .. } => None,
            _ => shared.directory(page)?,
        };
        let is_the_pages = directory.is_some();
        let directory = directory.map_or_else(|| temporary_directory().map(Arc::new), Ok)?;
        let live = Live::start(number, job.clone(), root, directory, gate)?;
        if let (true, Some((.., last))) = (is_the_pages, shared.directories.last_mut()) {
            *last = Arc::downgrade(&live);
        }
        shared.runs.insert(number, Arc::clone(&live));
        shared.begun.retain(|live| live.strong_count() > 0);
        shared.begun.push(Arc::downgrade(&live));
        drop(shared);
        Ok(live)
    }

    fn is_over(&self, live: &Live, job: &Job) {
        let progress = live.outcome().and_then(|outcome| outcome.progress);
        if let Some(progress) = progress {
            self.shared().progress.insert(job.lesson.clone(), progress);
        }
    }
}

async fn at_the_door(State(bench): State<Arc<Bench>>, request: Request, next: Next) -> Response {
    match bench.door.let_in(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

fn refused(why: impl ToString) -> Refusal {
    (StatusCode::BAD_REQUEST, why.to_string())
}

/// What a page asks, as JSON.
struct Question(Value);

impl Question {
    fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.0[name].as_str().ok_or_else(|| refused(format!("the request has no {name}")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Question {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state).await.map_err(|why| match why.status() {
            StatusCode::PAYLOAD_TOO_LARGE => (why.status(), "this is too much to ask".to_owned()),
            status => (status, why.body_text()),
        })?;
        let asked = serde_json::from_slice(&body);
        asked.map(Self).map_err(|why| refused(format!("the request is no JSON: {why}")))
    }
}

fn answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// What a page has to offer.
async fn page(State(bench): State<Arc<Bench>>, Asked(page): Asked<String>) -> Response {
    let progress: BTreeMap<_, _> = {
        let shared = bench.shared();
        shared.progress.iter().map(|(name, one)| (name.clone(), one.to_string())).collect()
    };
    answer(&json!({
        "offers": bench.offers(&page),
        "progress": progress,
        "untraced": bench.untraced,
    }))
}

/// What is under way, on all pages.
async fn runs(State(bench): State<Arc<Bench>>) -> Response {
    let shared = bench.shared();
    let watches = shared.watches.iter().filter_map(Weak::upgrade);
    let waiting = watches.filter(|watch| watch.waits.load(Ordering::Relaxed));
    let waiting = waiting.map(|watch| json!({ "command": watch.told }));
    answer(&json!(shared.runs.values().map(|live| live.told()).chain(waiting).collect::<Vec<_>>()))
}

async fn signal(State(bench): State<Arc<Bench>>, asked: Question) -> Result<Response, Refusal> {
    let signal = match asked.text("signal")? {
        "SIGINT" => Signal::SIGINT,
        "SIGTERM" => Signal::SIGTERM,
        "SIGKILL" => Signal::SIGKILL,
        other => return Err(refused(format!("{other} is not sent from here"))),
    };
    let number = asked.0["run"].as_u64().ok_or_else(|| refused("the request has no run"))?;
    let live = bench.shared().runs.get(&number).cloned();
    let live = live.ok_or_else(|| refused("this run is over"))?;
    live.send(signal).map_err(refused)?;
    Ok(answer(&json!({})))
}

async fn stop(State(bench): State<Arc<Bench>>) -> Response {
    bench.stop_all("all were stopped");
    for watch in bench.shared().watches.drain(..).filter_map(|watch| watch.upgrade()) {
        watch.stop.notify_one();
    }
    answer(&json!({}))
}

/// Starts over: the directory of a page goes, with all that its runs have left.
async fn over(State(bench): State<Arc<Bench>>, asked: Question) -> Result<Response, Refusal> {
    let page = asked.text("page")?;
    bench.shared().directories.retain(|(name, ..)| name != page);
    Ok(answer(&json!({})))
}

/// Runs what was pressed; the answer is the stream of what happens.
async fn run(State(bench): State<Arc<Bench>>, asked: Question) -> Result<Response, Refusal> {
    let (id, page) = (asked.text("id")?, asked.text("page")?);
    let job = bench.jobs.iter().find(|job| job.id == id).cloned();
    let job = job.ok_or_else(|| refused(format!("the book has no {id}")))?;
    // A page says where it is, and which of its loads.
    let (path, _) = page.split_once('#').ok_or_else(|| refused("the request has no page"))?;
    let offers = bench.offers(path);
    if !offers.as_array().is_some_and(|offers| offers.iter().any(|offer| offer["id"] == id)) {
        return Err(refused(format!("{path} does not offer {id}")));
    }
    let on_save = asked.0["on_save"].as_bool().unwrap_or_default();
    let busy = || {
        let why =
            format!("{STREAMS} runs are under way, which is as many as a browser has room for");
        (StatusCode::CONFLICT, why)
    };
    let stream = Open::stream(Arc::clone(&bench)).ok_or_else(busy)?;
    let changes = match (&job.subject, on_save) {
        (Subject::Exercise { source, .. }, true) => {
            let told = format!("{}, when it is saved", job.commands[0]);
            let changes = Changes::of(&bench.workbook.root, source, told).map_err(refused)?;
            let mut shared = bench.shared();
            shared.watches.retain(|watch| watch.strong_count() > 0);
            shared.watches.push(Arc::downgrade(&changes.watch));
            Some(changes)
        }
        _ => None,
    };
    // Whoever stops a run and starts the next one finds in its files what the last one has left.
    let limit = Instant::now() + LEAVES;
    while bench.shared().is_leaving(page, id) && Instant::now() < limit {
        sleep(QUIET / 10).await;
    }
    let live = bench.start(&job, page).map_err(refused)?;
    let feed = Feed {
        open: stream,
        job,
        page: page.to_owned(),
        live: Some(live),
        changes,
        is_told: false,
        frame: Instant::now(),
    };
    let lines = stream::unfold(feed, |mut feed| async {
        let line = feed.next().await?;
        Some((Ok::<_, Infallible>(format!("{line}\n")), feed))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// One of the streams that may be open at a time.
struct Open(Arc<Bench>);

impl Open {
    fn stream(bench: Arc<Bench>) -> Option<Self> {
        let mut shared = bench.shared();
        if shared.streams == STREAMS {
            return None;
        }
        shared.streams += 1;
        drop(shared);
        Some(Self(bench))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.shared().streams -= 1;
    }
}

/// What goes to one page: a run, and with *on save* the next one whenever the exercise has changed.
struct Feed {
    open: Open,
    job: Job,
    page: String,
    live: Option<Arc<Live>>,
    changes: Option<Changes>,
    is_told: bool,
    /// When the last picture was drawn.
    frame: Instant,
}

impl Feed {
    /// The next line for the page; none at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let Some(live) = self.live.clone() else {
                let started = match self.changes.as_mut()?.quiet().await? {
                    true => self.open.0.start(&self.job, &self.page),
                    false => Err(io::Error::other("All were stopped.")),
                };
                match started {
                    Ok(live) => self.live = Some(live),
                    Err(why) => {
                        self.changes = None;
                        return Some(json!({ "over": why.to_string() }));
                    }
                }
                continue;
            };
            if !self.is_told {
                self.is_told = true;
                return Some(json!({ "run": live.number }));
            }
            if let Some(changes) = &mut self.changes
                && changes.is_new()
            {
                // The newest wins.
                self.end_run("the exercise has changed");
                continue;
            }
            let build = live.build_lines();
            if !build.is_empty() {
                return Some(json!({ "build": build }));
            }
            if let Some(outcome) = live.outcome() {
                self.open.0.is_over(&live, &self.job);
                self.end_run("");
                return Some(outcome.told);
            }
            let wait = self.frame + FRAME;
            tokio::select! {
                () = live.news.notified() => sleep_until(wait).await,
                () = sleep(AT_LEAST) => {}
            }
            if live.outcome().is_none()
                && let Some(picture) = live.picture()
            {
                self.frame = Instant::now();
                let mut told = json!({ "picture": picture });
                // The build is over, and the page hears of it first.
                let build = live.build_lines();
                if !build.is_empty() {
                    told["build"] = json!(build);
                }
                return Some(told);
            }
        }
    }

    fn end_run(&mut self, why: &'static str) {
        if let Some(live) = self.live.take() {
            live.stop(why);
            self.open.0.shared().runs.remove(&live.number);
        }
        self.is_told = false;
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end_run("the page was closed");
    }
}

/// The changes of a file, also where an editor puts another one in its place, or in that of its directory.
struct Changes {
    changed: watch::Receiver<u64>,
    watch: Arc<Watch>,
    _watcher: RecommendedWatcher,
}

/// What waits for a change.
struct Watch {
    /// What it is, in a line.
    told: String,
    /// Whether it waits just now, and runs nothing.
    waits: AtomicBool,
    /// Told that it is to end.
    stop: Notify,
}

impl Changes {
    fn of(root: &Path, file: &Path, told: String) -> notify::Result<Self> {
        let (sender, changed) = watch::channel(0);
        let path: PathBuf = root.join(file);
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                if !event.kind.is_access() && event.paths.iter().any(|one| path.starts_with(one)) {
                    sender.send_modify(|count| *count += 1);
                }
            })?;
        // Where another branch is looked at, the directory of a lesson may go and come back.
        let all = file.components().next().map_or_else(|| root.to_owned(), |all| root.join(all));
        watcher.watch(&all, RecursiveMode::Recursive)?;
        let watch = Watch { told, waits: AtomicBool::new(false), stop: Notify::new() };
        Ok(Self { changed, watch: Arc::new(watch), _watcher: watcher })
    }

    /// Whether it has changed since this was asked.
    fn is_new(&mut self) -> bool {
        self.changed.has_changed().unwrap_or_default()
    }

    /// Waits for a change, and until it is over; gives whether it is to go on.
    async fn quiet(&mut self) -> Option<bool> {
        self.watch.waits.store(true, Ordering::Relaxed);
        let goes_on = tokio::select! {
            changed = self.changed.changed() => changed.is_ok(),
            () = self.watch.stop.notified() => false,
        };
        self.watch.waits.store(false, Ordering::Relaxed);
        if !goes_on {
            return Some(false);
        }
        while let Ok(changed) = timeout(QUIET, self.changed.changed()).await {
            changed.ok()?;
        }
        Some(true)
    }
}

/// What each page says of itself: which start of the program has served it, so that its script knows of
/// this server without asking, and where its parts may come from.
pub async fn sealed(
    State((bench, policy)): State<(Arc<Bench>, HeaderValue)>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let start = format!("workbook;desc=\"{}\"", bench.door.start);
    if let Ok(start) = HeaderValue::try_from(start) {
        headers.insert("server-timing", start);
    }
    response
}
