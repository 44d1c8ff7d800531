//! Every page of the book in a real browser: in light and dark, on a desk and on a phone.
//!
//! Needs Chromium, Node.js and `npm ci --prefix tests`; without them the tests are listed as
//! ignored.

mod scratch;
mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use book::programs;
use book::promise::Profile;
use book::workbook::Workbook;
use libtest_mimic::{Arguments, Completion, Trial};
use scratch::copy_of;
use serde::Deserialize;
use tools::on_path;

const VIEWS: [&str; 4] = ["light", "navy", "phone", "phone-navy"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let findings: Arc<OnceLock<Result<Findings, String>>> = Arc::default();
    let pages = pages();
    let mut trials = Vec::new();
    for page in &pages {
        for view in VIEWS {
            let (findings, pages, page) = (Arc::clone(&findings), pages.clone(), page.clone());
            trials.push(Trial::ignorable_test(format!("{view}::{page}"), move || {
                let browser = match Browser::find() {
                    Ok(browser) => browser,
                    Err(reason) => return Ok(Completion::ignored_with(reason)),
                };
                // The first test that needs it looks at all pages, in one browser.
                let findings = findings.get_or_init(|| browser.look_at(&pages)).as_ref()?;
                match findings.get(&(page.clone(), view.to_owned())) {
                    Some(problems) if problems.is_empty() => Ok(Completion::Completed),
                    Some(problems) => Err(problems.join("\n").into()),
                    None => Err("the browser has not come to this page".into()),
                }
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What is wrong, by page and view.
type Findings = BTreeMap<(String, String), Vec<String>>;

/// A line that `browser.mjs` prints.
#[derive(Deserialize)]
struct Finding {
    page: String,
    view: String,
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
            return Err("`npm ci --prefix tests` has not been run".to_owned());
        }
        Ok(Self { chromium })
    }

    fn look_at(&self, pages: &[String]) -> Result<Findings, String> {
        let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
        let book = programs.map_err(|error| format!("{error:#}"))?.remove("book");
        let scratch = copy_of(&["book", "lessons"]);
        let mut server = Command::new(book.ok_or("the reader does not compile")?)
            .args(["--port", "0"])
            .env("CARGO_MANIFEST_DIR", scratch.path().join("book"))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the reader does not start: {error}"))?;
        let mut lines = BufReader::new(server.stdout.take().ok_or("no pipe")?).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("open at ")?.1.split(' ').next()?.to_owned()));
        let output = Command::new("node")
            .arg("browser.mjs")
            .arg(&self.chromium)
            .arg(address.unwrap_or_default())
            .args(pages)
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
                Ok(((finding.page, finding.view), finding.problems))
            })
            .collect()
    }
}

/// The pages of the book, the one for printing included.
fn pages() -> Vec<String> {
    let chapters = Workbook::home().join("book/chapters");
    let mut pages: Vec<String> = fs::read_dir(chapters)
        .expect("the chapters")
        .map(|entry| entry.expect("a page").path().with_extension("html"))
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .filter(|name| name != "SUMMARY.html")
        .collect();
    pages.push("print.html".to_owned());
    pages.sort();
    pages
}
