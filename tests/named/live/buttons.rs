//! Every button of the book: which commands have one, and what comes of pressing it.
//!
//! `LIVE_ALL=1` in front presses all of them, which takes minutes; without it those of some lessons' own
//! programs.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use libtest_mimic::Failed;
use named::rounds::all_at_once;
use named::tools::loaded;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use tempfile::TempDir;
use workbook::commands::run_command;
use workbook::programs;
use workbook::workbook::{CHAPTERS, Workbook};
use workshop::live::offer::{self, Job, Subject};

use super::server::{Server, Start};
use super::small::{LESSON, PAGE, SMALL};
use super::{Test, is};

/// Which command lines have no button, and why.
const LIST: &str = "tests/named/live/no_button.toml";

/// Presses all buttons.
const ALL: &str = "LIVE_ALL";

/// So many servers have together as many streams as the self-check has programs under way on two cores.
const SERVERS: usize = 4;
const STREAMS: usize = 3;

/// Without that, the own program of every fourth lesson.
const SOME: usize = 4;

/// A run that tells of the machine is made so often.
const TIMES: usize = 3;

static WORKBOOK: LazyLock<Workbook> =
    LazyLock::new(|| loaded().unwrap_or_else(|_| panic!("the workbook has a mistake")));

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    let has = "buttons: a command line has one or stands in the list with its reason";
    let keeps = "buttons: what they run is judged as the self-check judges it";
    let after = "buttons: what a build says comes before its program, however fast it is";
    vec![
        Test::new(has, has_one),
        Test::new(keeps, keeps_its_promises).needs(&["python3"]),
        Test::new(after, says_all_before),
    ]
}

/// A picture waits for the one before; a build may be over by then.
fn says_all_before() -> Result<(), Failed> {
    let place = TempDir::new()?;
    let cargo = place.path().join("cargo");
    let program = SMALL.target().join("debug").join(LESSON);
    let artifact = json!({
        "reason": "compiler-artifact", "package_id": LESSON, "manifest_path": "/Cargo.toml",
        "target": {
            "kind": ["bin"], "crate_types": ["bin"], "name": LESSON, "src_path": "/main.rs",
            "edition": "2024", "doc": true, "doctest": false, "test": false,
        },
        "profile": {
            "opt_level": "0", "debuginfo": 0, "debug_assertions": true,
            "overflow_checks": true, "test": false,
        },
        "features": [], "filenames": [&program], "executable": &program, "fresh": true,
    });
    let finished = json!({ "reason": "build-finished", "success": true });
    let script = format!(
        "#!/bin/sh\necho first >&2; sleep 0.01; echo last >&2\necho '{artifact}'; echo '{finished}'\n"
    );
    fs::write(&cargo, script)?;
    fs::set_permissions(&cargo, Permissions::from_mode(0o755))?;
    let start = Start::of(SMALL.root(), &SMALL.target())?;
    let server = start.variable("CARGO", &cargo.display().to_string()).start()?;
    let mut stream = server.run(LESSON, PAGE)?;
    let mut said = Vec::new();
    loop {
        let told = stream.next()?.ok_or("no picture has come")?;
        let lines = told["build"].as_array().into_iter().flatten();
        said.extend(lines.filter_map(|line| Some(line.as_str()?.to_owned())));
        if told.get("picture").is_some() {
            break;
        }
    }
    // Some more pictures: none brings a line that is late.
    for _ in 0..3 {
        stream.until("picture")?;
    }
    is("what is said before the program is drawn", said.join(" ").as_str(), "first last")
}

fn has_one() -> Result<(), Failed> {
    let list = fs::read_to_string(WORKBOOK.root.join(LIST))?;
    let mut list: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(&list)?;
    let jobs = offer::jobs(&WORKBOOK);
    let mut wrong = Vec::new();
    let owned = WORKBOOK.chapters.iter().flat_map(|chapter| &chapter.pages);
    for page in owned.chain(&WORKBOOK.others) {
        let path = page.path.strip_prefix(CHAPTERS).unwrap_or(&page.path);
        let offers = offer::of_page(&WORKBOOK, &jobs, path);
        let with_button = commands(&jobs, &offers);
        let name = path.display().to_string();
        let mut without = list.remove(&name).unwrap_or_default();
        for line in command_lines(&page.text).into_iter().collect::<BTreeSet<_>>() {
            match (with_button.contains(&line), without.remove(&line)) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(_)) => wrong.push(format!("{name}: it has a button: {line}")),
                (false, None) => wrong.push(format!("{name}: it has no button: {line}")),
            }
        }
        wrong.extend(without.into_keys().map(|line| format!("{name}: is not there: {line}")));
    }
    wrong.extend(list.into_keys().map(|name| format!("there is no page {name}")));
    if wrong.is_empty() { Ok(()) } else { Err(format!("{LIST}:\n{}", wrong.join("\n")).into()) }
}

/// The commands of a page's buttons; one that runs its scenario's further runs, too, is the button of those.
fn commands(jobs: &[Job], offers: &Value) -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    for offer in offers.as_array().into_iter().flatten() {
        commands.extend(offer["command"].as_str().map(str::to_owned));
        let job = jobs.iter().find(|job| offer["id"] == job.id.as_str());
        let Some((job, chapter)) = job.and_then(|job| Some((job, WORKBOOK.chapter(&job.lesson)?)))
        else {
            continue;
        };
        for run in &job.scenario.runs[1..] {
            let mut scenario = job.scenario.clone();
            scenario.runs = vec![run.clone()];
            commands.insert(run_command(chapter, &scenario));
        }
    }
    commands
}

/// The lines of a page's console blocks, each with what continues it.
fn command_lines(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(rest) => is_inside = !is_inside && rest.starts_with("console"),
            None if is_inside && line.starts_with(' ') => {
                let last = commands.last_mut().expect("a line to be continued");
                *last = format!("{last} {}", line.trim());
            }
            None if is_inside => commands.push(line.to_owned()),
            None => {}
        }
    }
    commands
}

fn keeps_its_promises() -> Result<(), Failed> {
    let all = offered();
    let pressed: Vec<&(PathBuf, Job)> = match env::var_os(ALL) {
        Some(_) => all.iter().collect(),
        None => all.iter().filter(|(_, job)| job.id == job.lesson).step_by(SOME).collect(),
    };
    build(&pressed)?;
    let servers: Vec<_> =
        (0..SERVERS).map(|_| Start::of_this_workbook()?.start()).collect::<Result<_, Failed>>()?;
    let begin = Instant::now();
    let free = Mutex::new(servers.iter().flat_map(|server| [server; STREAMS]).collect::<Vec<_>>());
    let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut wrong, mut others) = (Vec::new(), Vec::new());
    let came = all_at_once(&pressed, SERVERS * STREAMS, |(page, job), _| {
        let server = free().pop().ok_or("no server is free")?;
        let came = press(server, page, job);
        free().push(server);
        came
    })?;
    for ((page, job), came) in pressed.iter().zip(came) {
        // What is wrong among so many others may be theirs: once more, with the servers for itself.
        let came = came.or_else(|_| press(&servers[0], page, job));
        match came {
            Ok(None) => {}
            Ok(Some(why)) => others.push(format!("{}: {why}", job.id)),
            Err(why) => wrong.push(format!("{}: {why:?}", job.id)),
        }
    }
    println!(
        "{} of {} buttons were pressed in {:.0} s, and {} could not be:\n{}",
        pressed.len(),
        all.len(),
        begin.elapsed().as_secs_f64(),
        others.len(),
        others.join("\n")
    );
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Builds them as the server does, so that no press has to wait for that.
fn build(pressed: &[&(PathBuf, Job)]) -> Result<(), Failed> {
    let mut known = BTreeSet::new();
    for (_, job) in pressed {
        let (Subject::Program { package, .. } | Subject::Exercise { package, .. }) = &job.subject
        else {
            continue;
        };
        if known.insert((package, job.scenario.profile.name())) {
            let mut command = programs::builder(&WORKBOOK.root, job.scenario.profile);
            command.args(["--package", package, "--quiet"]);
            programs::built_by(&mut command).map_err(|error| format!("{error:#}"))?;
        }
    }
    Ok(())
}

/// What the pages have buttons for, each once, with a page that has it.
fn offered() -> Vec<(PathBuf, Job)> {
    let jobs = offer::jobs(&WORKBOOK);
    let owned = WORKBOOK.chapters.iter().flat_map(|chapter| &chapter.pages);
    let mut known = BTreeMap::new();
    for page in owned.chain(&WORKBOOK.others) {
        let path = page.path.strip_prefix(CHAPTERS).unwrap_or(Path::new(""));
        let offers = offer::of_page(&WORKBOOK, &jobs, path);
        let ids = offers.as_array().into_iter().flatten();
        for id in ids.filter_map(|offer| offer["id"].as_str()) {
            known.entry(id.to_owned()).or_insert_with(|| path.with_extension("html"));
        }
    }
    jobs.into_iter().filter_map(|job| Some((known.remove(&job.id)?, job))).collect()
}

/// Presses one button; gives why it cannot be pressed on this machine.
fn press(server: &Server, page: &Path, job: &Job) -> Result<Option<String>, Failed> {
    let mut said = String::new();
    for _ in 0..TIMES {
        // A load of its own, and so a directory of its own.
        let load = format!("/{}#{}", page.display(), job.id);
        let told = server.run(&job.id, &load)?.last()?;
        if let Some(why) = told["failed"].as_str() {
            let is_too_old = why.starts_with("this takes ");
            return if is_too_old { Ok(Some(why.to_owned())) } else { Err(why.into()) };
        }
        let broken = broken(job, told["done"].as_str().unwrap_or_default());
        let wanted = job.scenario.starter_breaks.iter().flatten();
        let wanted: BTreeSet<_> = wanted.map(|id| id.get_ref().clone()).collect();
        said = format!("{}: it breaks {broken:?} and not {wanted:?}", told["status"]);
        // Late by less than what tells of a program.
        let is_undecided = told["kept"].is_null();
        if !is_undecided && broken == wanted && told["kept"] == wanted.is_empty() {
            return Ok(None);
        }
        if !is_undecided && job.scenario.starter_breaks.is_none() {
            break;
        }
    }
    Err(said.into())
}

/// What is marked as broken, over all runs.
fn broken(job: &Job, done: &str) -> BTreeSet<String> {
    let selector = |text: &str| Selector::parse(text).expect("a selector");
    let (rows, no) = (selector("tbody tr"), selector(".no"));
    let html = Html::parse_fragment(done);
    let mut broken = BTreeSet::new();
    for (table, run) in html.select(&selector("table.kept")).zip(&job.scenario.runs) {
        for (index, row) in table.select(&rows).enumerate() {
            if row.select(&no).next().is_some() {
                let known = run.promises.get(index).map(|promise| promise.id());
                broken.insert(known.unwrap_or_else(|| row.text().collect()));
            }
        }
    }
    broken
}
