//! Every page of the book in a real browser, in light and dark, on a desk and on a phone; the
//! replay of its recordings; its search; and the page for printing.
//!
//! What is typed into the search is each lesson's question, and the words of `search.toml`: the page that
//! answers has to be among the first three results.
//!
//! Needs Chromium, Node.js and `npm ci --prefix tests/named`; without them the tests are listed as
//! ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Trial};
use named::pages::{rendered, rendered_pages};
use named::scratch::copy_of;
use named::self_check::guarded;
use named::tools::{loaded, on_path};
use serde::{Deserialize, Serialize};
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::{CHAPTERS, Workbook};

/// A lesson's own page and the appendices are looked at in all of them.
const VIEWS: [&str; 4] = ["light", "navy", "phone", "phone-navy"];

/// Deeper pages, promises pages and the page for printing have the same parts: one look in each theme and
/// at each width.
const TWO_VIEWS: [&str; 2] = ["light", "phone-navy"];

/// What readers type, by the page that answers.
const SEARCHES: &str = "tests/named/search.toml";

/// What `replay.mjs` tries.
const REPLAY: [&str; 9] = [
    "play_moves_the_cursor_as_time_goes",
    "five_times_as_fast_is_five_times_as_fast",
    "a_pause_holds_the_cursor",
    "at_the_end_everything_is_shown_and_play_begins_anew",
    "the_keyboard_moves_the_cursor_and_turns_no_page",
    "with_less_motion_a_button_steps_from_line_to_line",
    "paper_shows_everything_in_the_middle_of_a_replay",
    "without_scripts_everything_is_there_and_nothing_to_press",
    "anybody_can_use_it_in_every_theme",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let workbook = match loaded() {
        Ok(workbook) => workbook,
        Err(code) => return code,
    };
    let searches = match searches(&workbook) {
        Ok(searches) => searches,
        Err(error) => {
            eprintln!("{SEARCHES}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let book = Book { views: views(&workbook), searches, whole: true };
    let book = Arc::new(book.selected(&arguments));
    let findings: Arc<OnceLock<Result<Findings, String>>> = Arc::default();
    let trials = book.tests().into_iter().map(|name| {
        let (findings, book) = (Arc::clone(&findings), Arc::clone(&book));
        Trial::ignorable_test(name.clone(), move || {
            let browser = match Browser::find() {
                Ok(browser) => browser,
                Err(reason) => return Ok(Completion::ignored_with(reason)),
            };
            // The first test that needs it has everything looked at, in one browser.
            let findings = findings.get_or_init(|| browser.look_at(&book)).as_ref()?;
            match findings.get(&name) {
                Some(problems) if problems.is_empty() => Ok(Completion::Completed),
                Some(problems) => Err(problems.join("\n").into()),
                None => Err("the browser has not come to this".into()),
            }
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What is to be looked at.
#[derive(Serialize)]
struct Book {
    /// The pages to look at in each view.
    views: BTreeMap<&'static str, Vec<String>>,
    /// What a reader types, and the page that it leads to, each by the name of its test.
    searches: BTreeMap<String, (String, String)>,
    /// Whether the replay and the printed book are tried, too.
    whole: bool,
}

impl Book {
    /// Only what the tests need that run: a look at everything takes minutes.
    fn selected(mut self, arguments: &Arguments) -> Self {
        let runs = |name: &str| !arguments.is_filtered_out(&Trial::test(name, || Ok(())));
        let others = self.tests().into_iter().filter(|name| {
            let kind = name.split("::").next().unwrap_or_default();
            runs(name) && (kind == "replay" || kind == "print")
        });
        self.whole = others.count() > 0;
        if !self.whole {
            for (view, pages) in &mut self.views {
                pages.retain(|page| runs(&format!("{view}::{page}")));
            }
            self.searches.retain(|name, _| runs(&format!("search::{name}")));
        }
        self
    }

    /// The names of the tests.
    fn tests(&self) -> Vec<String> {
        let looks = self
            .views
            .iter()
            .flat_map(|(view, pages)| pages.iter().map(move |page| format!("{view}::{page}")));
        let searches = self.searches.keys().map(|name| format!("search::{name}"));
        let replays = REPLAY.iter().map(|name| format!("replay::{name}"));
        let print = "print::every_chapter_and_every_picture_is_on_paper".to_owned();
        let others = replays.chain([print]).filter(|_| self.whole);
        looks.chain(searches).chain(others).collect()
    }
}

/// What is wrong, by test.
type Findings = BTreeMap<String, Vec<String>>;

/// A line that `browser.mjs` prints.
#[derive(Deserialize)]
struct Finding {
    name: String,
    problems: Vec<String>,
}

struct Browser {
    chromium: PathBuf,
}

impl Browser {
    /// The system's Chromium, or what is missing.
    fn find() -> Result<Self, String> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let chromium = names.into_iter().find_map(on_path).ok_or("there is no chromium")?;
        on_path("node").ok_or("there is no node")?;
        if !Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/playwright-core").is_dir() {
            return Err("`npm ci --prefix tests/named` has not been run".to_owned());
        }
        Ok(Self { chromium })
    }

    fn look_at(&self, what: &Book) -> Result<Findings, String> {
        let tests = what.tests();
        let what = serde_json::to_string(what).map_err(|error| error.to_string())?;
        let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
        let book = programs.map_err(|error| format!("{error:#}"))?.remove("book");
        let scratch = copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"]);
        let mut server = guarded(book.ok_or("the reader does not compile")?)
            .args(["--port", "0"])
            .env("CARGO_MANIFEST_DIR", scratch.path().join("book"))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the reader does not start: {error}"))?;
        let mut lines = BufReader::new(server.stdout.take().ok_or("no pipe")?).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            // Without the token of its end, the pages have what they have elsewhere.
            .find_map(|line| Some(line.split_once("open at ")?.1.split('#').next()?.to_owned()));
        let output = guarded("node")
            .arg("browser.mjs")
            .arg(&self.chromium)
            .arg(address.unwrap_or_default())
            .arg(what)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        // The server has no state that an end in the middle could hurt.
        let _ = server.kill();
        let _ = server.wait();
        let output = output.map_err(|error| format!("node does not start: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| {
                let finding: Finding =
                    serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
                if !tests.contains(&finding.name) {
                    return Err(format!("browser.rs does not know {}", finding.name));
                }
                Ok((finding.name, finding.problems))
            })
            .collect()
    }
}

/// The pages of the book by view, the one for printing included.
fn views(workbook: &Workbook) -> BTreeMap<&'static str, Vec<String>> {
    let own = workbook.chapters.iter().map(|chapter| rendered(&chapter.page().path));
    let own: BTreeSet<_> =
        own.chain(workbook.others.iter().map(|page| rendered(&page.path))).collect();
    let mut pages = rendered_pages();
    pages.push("print.html".to_owned());
    pages.sort();
    let is_looked_at = |view: &str, page: &String| own.contains(page) || TWO_VIEWS.contains(&view);
    VIEWS
        .map(|view| {
            let pages = pages.iter().filter(|page| is_looked_at(view, page));
            (view, pages.cloned().collect())
        })
        .into()
}

/// Each lesson's question, and the words of the list. Nobody types the marks of code.
fn searches(workbook: &Workbook) -> Result<BTreeMap<String, (String, String)>, Box<dyn Error>> {
    let studied = workbook.lessons().map(|(chapter, lesson)| {
        let question = lesson.question.replace('`', "");
        (chapter.name.clone(), (rendered(&chapter.page().path), question))
    });
    let mut searches: BTreeMap<_, _> = studied.collect();
    let text = fs::read_to_string(workbook.root.join(SEARCHES))?;
    let list: BTreeMap<String, Vec<String>> = toml::from_str(&text)?;
    for (page, all) in list {
        let (file, heading) = page.split_once('#').unwrap_or((&page, ""));
        workbook.page(Path::new(file)).ok_or_else(|| format!("there is no page {file}"))?;
        let mark = if heading.is_empty() { "" } else { "#" };
        let address = rendered(&Path::new(CHAPTERS).join(file)) + mark + heading;
        for words in all {
            let search = (address.clone(), words.clone());
            if searches.insert(words.clone(), search).is_some() {
                return Err(format!("`{words}` stands there twice").into());
            }
        }
    }
    Ok(searches)
}
