//! What is told of an exam: progress while it is held, a report for whoever held it, and JSON for programs.

use serde::Serialize;

use super::outcome::{Outcome, Report, Told, Verdict};
use super::trials;
use super::words::time;
use crate::report::words::{cut, plain, wrapped};
use crate::report::{COLUMNS, spelled_out, typed};

/// The version of the JSON: another one if a field is renamed or goes, not if one is added.
const VERSION: u32 = 1;

/// What stands before the text of a trial's lines.
const INDENT: &str = "    ";

/// Has a terminal write its line anew.
const ANEW: &str = "\r\u{1b}[K";

/// The trials, each with its rule.
pub fn list() -> String {
    let told = trials::ALL.iter().map(|trial| {
        let rule = wrapped(trial.rule, COLUMNS - INDENT.len());
        let rule = rule.iter().map(|line| format!("{INDENT}{line}\n"));
        format!("{}\n{}", trial.name, rule.collect::<String>())
    });
    told.collect()
}

/// Lines that say how far an exam has come.
pub struct Progress {
    all: usize,
    done: usize,
    /// Whether a line can be written anew.
    on_a_terminal: bool,
    /// Whether what follows is not tried any more.
    is_over: bool,
}

impl Progress {
    /// Of so many trials.
    pub fn new(all: usize, on_a_terminal: bool) -> Self {
        Self { all, done: 0, on_a_terminal, is_over: false }
    }

    /// What to write when this is told.
    pub fn line(&mut self, told: &Told<'_>) -> String {
        match told {
            // The exam has stopped.
            _ if self.is_over => String::new(),
            Told::Begins(trial) if self.on_a_terminal => {
                format!("{ANEW}{:>2} of {}  {trial} …", self.done + 1, self.all)
            }
            Told::Begins(_) => String::new(),
            Told::Over(outcome) => {
                self.done += 1;
                self.is_over = stops(outcome);
                let from_the_left = if self.on_a_terminal { ANEW } else { "" };
                let (done, all) = (self.done, self.all);
                let found = found(&outcome.verdict);
                let Outcome { trial, took, .. } = outcome;
                format!(
                    "{from_the_left}{done:>2} of {all}  {found:<9}  {trial}  ({})\n",
                    time(*took)
                )
            }
        }
    }
}

/// Whether nothing is tried after this.
fn stops(outcome: &Outcome) -> bool {
    outcome.trial == trials::BASICS && matches!(outcome.verdict, Verdict::Failed(_))
}

fn found(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "FAILED",
        Verdict::NotTried(_) => "not tried",
    }
}

/// The report of an exam that was held.
pub fn screen(report: &Report) -> String {
    let mut screen = String::new();
    let mut outcomes = &report.outcomes[..];
    while let Some((outcome, others)) = outcomes.split_first() {
        // Many for one reason are told once.
        let alike = others.iter().take_while(|other| {
            matches!(other.verdict, Verdict::NotTried(_)) && other.verdict == outcome.verdict
        });
        let (alike, rest) = others.split_at(alike.count());
        screen += &told(outcome, alike);
        outcomes = if stops(outcome) { &[] } else { rest };
    }
    screen + "\n" + &summary(report) + "\n"
}

/// A trial in lines, with those of which the same is to be told, if there is more than that it passed.
fn told(outcome: &Outcome, alike: &[Outcome]) -> String {
    let (sentence, is_failed) = match &outcome.verdict {
        Verdict::Passed => return String::new(),
        Verdict::Failed(sentence) => (sentence.clone(), true),
        Verdict::NotTried(why) => (format!("Not tried: {why}."), false),
    };
    let names: Vec<_> = [outcome].into_iter().chain(alike).map(|one| one.trial).collect();
    let name = wrapped(&format!("{}  {}", names.join(", "), found(&outcome.verdict)), COLUMNS);
    let mut lines = vec![String::new()];
    lines.extend(name);
    let mut say = |text: &str| {
        lines.extend(
            wrapped(text, COLUMNS - INDENT.len()).iter().map(|line| format!("{INDENT}{line}")),
        );
    };
    say(&plain(&sentence));
    if is_failed {
        say(&format!("The rule: {}", outcome.rule));
        if outcome.printed.is_empty() {
            say("The service printed nothing.");
        } else {
            say("The service printed last:");
            let width = COLUMNS - 2 * INDENT.len();
            for line in &outcome.printed {
                lines.push(format!("{INDENT}{INDENT}{}", cut(&plain(line), width)));
            }
        }
        let line =
            format!("{INDENT}To read: {}, \"{}\"", outcome.lesson.page, outcome.lesson.title);
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

/// All of it in a sentence.
pub fn summary(report: &Report) -> String {
    let of_kind = |is_kind: fn(&Verdict) -> bool| {
        let of_kind = report.outcomes.iter().filter(move |outcome| is_kind(&outcome.verdict));
        of_kind.map(|outcome| outcome.trial).collect::<Vec<_>>()
    };
    let passed = of_kind(|verdict| *verdict == Verdict::Passed);
    let failed = of_kind(|verdict| matches!(verdict, Verdict::Failed(_)));
    let not_tried = of_kind(|verdict| matches!(verdict, Verdict::NotTried(_)));
    let mut summary = format!("{} of {} passed", passed.len(), report.outcomes.len());
    if report.outcomes.first().is_some_and(stops) {
        return format!("{summary}: the exam stopped at {} (seed {})", trials::BASICS, report.seed);
    }
    for (which, how) in [(failed, "failed"), (not_tried, "not tried")] {
        if !which.is_empty() {
            summary += &format!(", {} {how}: {}", which.len(), which.join(", "));
        }
    }
    format!("{summary} ({}, seed {})", time(report.took), report.seed)
}

/// What the JSON file holds.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    command: &'a [String],
    seed: u64,
    took: f64,
    outcomes: Vec<JsonOutcome<'a>>,
}

#[derive(Serialize)]
struct JsonOutcome<'a> {
    trial: &'a str,
    rule: &'a str,
    verdict: &'static str,
    /// One sentence on what was seen, or why it was not tried.
    because: Option<&'a str>,
    lesson: &'a str,
    printed: &'a [String],
    took: f64,
}

/// The report for programs: one object, in one line.
pub fn json(report: &Report) -> String {
    let outcomes = report.outcomes.iter().map(json_outcome).collect();
    let json = Json {
        version: VERSION,
        command: &report.command,
        seed: report.seed,
        took: report.took.as_secs_f64(),
        outcomes,
    };
    let json = serde_json::to_string(&json).expect("text, numbers and lists of them");
    spelled_out(&json) + "\n"
}

fn json_outcome(outcome: &Outcome) -> JsonOutcome<'_> {
    let (verdict, because) = match &outcome.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed(sentence) => ("failed", Some(&**sentence)),
        Verdict::NotTried(why) => ("not tried", Some(&**why)),
    };
    JsonOutcome {
        trial: outcome.trial,
        rule: outcome.rule,
        verdict,
        because,
        lesson: outcome.lesson.page,
        printed: &outcome.printed,
        took: outcome.took.as_secs_f64(),
    }
}

/// The command as the reader typed it, more or less.
pub fn command(report: &Report) -> String {
    typed(&report.command, None)
}
