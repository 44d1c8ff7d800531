//! What a reader does with the live page in a real browser: `live.mjs` does it and says what is wrong.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::on_path;
use serde::Deserialize;
use serde_json::json;

use super::Test;
use super::server::{BOOK, Server, Start};
use super::small::{EDITED, EXERCISE, LESSON};

/// Trials with this workbook, each by its name in `live.mjs`.
const WITH_THIS_WORKBOOK: [&str; 26] = [
    "a_run_grows_beat_by_beat_and_keeps_its_promises",
    "a_signal_is_sent_and_the_run_not_judged",
    "a_prediction_is_held_against_the_run_value_by_value",
    "a_closed_page_ends_its_run",
    "a_page_that_comes_back_says_that_its_run_has_ended",
    "a_reload_ends_the_run_and_offers_it_again",
    "two_pages_have_directories_of_their_own",
    "what_a_run_leaves_is_there_until_the_reader_starts_over",
    "what_an_earlier_run_has_left_is_not_told_of_the_next",
    "one_run_too_many_is_told_what_is_under_way",
    "a_server_that_ends_is_one_line_on_a_page_that_can_be_read",
    "a_run_ends_with_its_server_and_its_last_line_is_told",
    "without_a_token_there_is_nothing_to_press",
    "the_published_book_has_nothing_to_press",
    "another_name_of_the_machine_says_which_address_to_open",
    "a_page_of_another_origin_shows_nothing_in_its_frame",
    "the_keyboard_is_enough",
    "the_focus_stays_where_it_is_when_the_picture_is_swapped",
    "a_selection_survives_the_next_picture",
    "anybody_can_use_it_in_light",
    "anybody_can_use_it_in_navy",
    "anybody_can_use_it_on_a_phone",
    "anybody_can_use_it_on_a_phone_in_navy",
    "with_less_motion_nothing_moves_but_the_run",
    "a_live_region_says_how_it_begins_and_ends",
    "copying_and_the_search_still_work",
];

/// Those that edit an exercise.
const WITH_A_COPY: [&str; 4] = [
    "a_saved_exercise_turns_from_broken_to_kept",
    "an_exercise_with_its_marker_is_not_started",
    "an_exercise_that_is_gone_says_how_it_comes_back",
    "a_compile_error_is_shown_whole",
];

/// What is a browser on one machine and another.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    let test = |name: &'static str, desk: &'static Shared, start: fn() -> Result<Desk, Failed>| {
        Test::new(format!("browser: {}", name.replace('_', " ")), move || {
            attempt(name, desk, start)
        })
        .needs(&["chromium", "node"])
    };
    let ours = WITH_THIS_WORKBOOK.into_iter().zip(OURS.iter().cycle());
    let ours = ours.map(|(name, desk)| test(name, desk, of_this_workbook));
    let copies = WITH_A_COPY.into_iter().map(|name| test(name, &COPY, of_the_copy));
    ours.chain(copies).collect()
}

/// A desk that tests come to one after another, once there is one.
type Shared = Mutex<Option<Desk>>;

/// No more than two: each takes a core while its book is built and its browser begins.
static OURS: [Shared; 2] = [const { Mutex::new(None) }; 2];
static COPY: Shared = Mutex::new(None);

fn of_this_workbook() -> Result<Desk, Failed> {
    Desk::of(Start::of_this_workbook()?, None)
}

fn of_the_copy() -> Result<Desk, Failed> {
    Desk::of(Start::of(EDITED.root(), &EDITED.target())?, Some(EDITED.root()))
}

fn attempt(name: &str, desk: &Shared, start: fn() -> Result<Desk, Failed>) -> Result<(), Failed> {
    let mut shared = desk.lock().unwrap_or_else(PoisonError::into_inner);
    let mut desk = match shared.take() {
        Some(desk) => desk,
        None => start()?,
    };
    let found = desk.attempt(name)?;
    *shared = Some(desk);
    judged(&found)
}

fn judged(problems: &[String]) -> Result<(), Failed> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

/// A reader's server, and a browser in front of it.
struct Desk {
    _server: Server,
    browser: Child,
    names: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A line that `live.mjs` prints.
#[derive(Deserialize)]
struct Finding {
    name: String,
    problems: Vec<String>,
}

impl Desk {
    fn of(start: Start, copy: Option<&Path>) -> Result<Self, Failed> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        if !here.join("node_modules/playwright-core").is_dir() {
            return Err("`npm ci --prefix tests/named` has not been run".into());
        }
        let chromium = BROWSERS.into_iter().find_map(on_path).ok_or("there is no chromium")?;
        let server = start.start()?;
        let exercise = copy.map(|root| root.join(EXERCISE));
        let solution = exercise
            .as_ref()
            .map(|exercise| exercise.with_file_name(format!("{LESSON}-solution.rs")));
        let about = json!({
            "address": server.opened, "pid": server.pid.as_raw(), "book": *BOOK,
            "exercise": exercise, "solution": solution,
        });
        let mut browser = guarded("node")
            .arg(here.join("live/live.mjs"))
            .arg(chromium)
            .arg(about.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let names = browser.stdin.take().ok_or("no pipe")?;
        let lines = BufReader::new(browser.stdout.take().ok_or("no pipe")?).lines();
        let mut desk = Self { _server: server, browser, names, lines };
        let mut known: Vec<String> = serde_json::from_str(&desk.line()?)?;
        let mut expected = [&WITH_THIS_WORKBOOK[..], &WITH_A_COPY].concat();
        known.sort_unstable();
        expected.sort_unstable();
        super::is("the trials of live.mjs", known.iter().map(String::as_str).collect(), expected)?;
        Ok(desk)
    }

    fn line(&mut self) -> Result<String, Failed> {
        Ok(self.lines.next().ok_or("the browser has ended")??)
    }

    /// Has one trial made; gives what was wrong.
    fn attempt(&mut self, name: &str) -> Result<Vec<String>, Failed> {
        writeln!(self.names, "{name}")?;
        let line = self.line()?;
        let finding: Finding =
            serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        super::is("what was tried", finding.name.as_str(), name)?;
        Ok(finding.problems)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
