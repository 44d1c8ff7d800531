//! An exam as one page that asks for nothing: each trial in words, and a picture of each run that decided
//! against the service.

use std::collections::BTreeMap;
use std::time::Duration;

use lesson_log::LogLine;
use maud::{Markup, html};
use workbook::promise::Exit;
use workbook::recording::{Recording, Thread, Wait};
use workbook::timeline::{self, Drawn};

use super::course::{Asked, Seen};
use super::outcome::{Outcome, Report, Verdict};
use super::report::{command, summary};
use super::words;
use crate::page::{code, document};
use crate::report::words::{count, cut, plain};

/// Of more customers only those are drawn who asked last.
const MOST_LANES: usize = 14;

/// The lane of the service itself. A line's lane is one word, as a thread of the book's logs is.
const SERVICE: &str = "service";

/// The letters above a bar that a phone has room for.
const LABEL: usize = 52;

/// The page of an exam.
pub fn html(report: &Report) -> String {
    let command = command(report);
    let failed = || report.outcomes.iter().filter(|one| matches!(one.verdict, Verdict::Failed(_)));
    let body = html! {
        h1 { "Exam: " code { (cut(&command, 200)) } }
        p.worst { (summary(report)) "." }
        @for (number, outcome) in failed().enumerate() {
            section {
                h2 { (outcome.trial) ": failed" }
                (told(outcome))
                (pictures(outcome, number))
            }
        }
        h2 { "All trials" }
        dl {
            @for outcome in &report.outcomes {
                div {
                    dt { (outcome.trial) ": " (verdict(&outcome.verdict)) }
                    dd {
                        (code(outcome.rule))
                        @if let Verdict::NotTried(why) = &outcome.verdict {
                            " Not tried: " (plain(why)) "."
                        }
                    }
                }
            }
        }
        h2 { "What this page holds" }
        p {
            "The command, the requests of the exam with the answers to them, the last lines that the service \
             printed in these runs, and times. It holds nothing of the environment and asks for nothing \
             outside itself."
        }
        p { "Made by " code { "when-main-returns exam" } " of the book " cite { "When main Returns" } "." }
    };
    document(&format!("Exam: {}", cut(&command, 80)), report.seed, &body)
}

fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::NotTried(_) => "not tried",
    }
}

fn told(outcome: &Outcome) -> Markup {
    html! {
        @if let Verdict::Failed(sentence) = &outcome.verdict { p { strong { (code(&plain(sentence))) } } }
        p { "The rule: " (code(outcome.rule)) }
        p { "To read in the book: " strong { (outcome.lesson.title) } " (" code { (outcome.lesson.page) } ")." }
    }
}

/// The runs that decided, above one another.
fn pictures(outcome: &Outcome, number: usize) -> Markup {
    let recordings: Vec<_> = outcome.runs.iter().map(recorded).collect();
    let names: Vec<_> =
        (0..recordings.len()).map(|index| format!("{}-{number}-{index}", outcome.trial)).collect();
    let drawn = recordings.iter().enumerate().map(|(index, recording)| Drawn {
        scenario: &names[index],
        command: match (index, recordings.len()) {
            (0, 2..) => html! { "the run before it" },
            _ => html! { "the run that decided" },
        },
        recording,
        run: None,
    });
    let drawn: Vec<_> = drawn.collect();
    timeline::figure(&drawn)
}

/// A run as the book's picture takes it: a lane for the service, and one for each customer.
fn recorded(seen: &Seen) -> Recording {
    let ended = seen.ended.map_or(seen.over, |(at, _)| at);
    let mut customers: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    // Who asks one that is gone is refused, which tells nothing.
    for asked in seen.asked.iter().filter(|asked| asked.from <= ended) {
        customers.entry(&asked.by).or_default().push(asked);
    }
    let mut customers: Vec<_> = customers.into_values().collect();
    let ends = |asked: &Vec<&Asked>| asked.last().map(|asked| asked.to);
    customers.sort_by_key(ends);
    customers.drain(..customers.len().saturating_sub(MOST_LANES));
    customers.sort_by_key(|asked| asked.first().map(|asked| asked.from));
    let service = Thread {
        name: SERVICE.to_owned(),
        born: 0.0,
        returned: seen.ended.map(|(at, _)| at.as_secs_f64()),
        wait: Vec::new(),
        told: Some(cut(&life(seen), LABEL)),
    };
    let lanes = customers.iter().map(|asked| lane(asked, ended));
    let dots = seen.done.iter().map(|(at, what)| (*at, SERVICE, plain(what)));
    let printed = seen.printed.iter().map(|line| {
        (line.at, if line.stderr { "stderr" } else { "stdout" }, plain(&cut(&line.text, 300)))
    });
    let answers = customers.iter().flat_map(|asked| asked.iter()).map(|asked| {
        (asked.to, &*asked.by, format!("{}: {}", plain(&asked.what), plain(&asked.answer)))
    });
    let mut lines: Vec<_> = dots.chain(printed).chain(answers).collect();
    lines.sort_by_key(|(at, ..)| *at);
    // A run under load has thousands.
    lines.drain(..lines.len().saturating_sub(400));
    let line = |(at, by, text): (Duration, &str, String)| {
        LogLine { at, thread: by.to_owned(), text }.to_string()
    };
    let (exit, signal) = match seen.ended {
        Some((_, Exit::Code(code))) => (Some(code), None),
        Some((_, exit @ Exit::Signal(_))) => (None, Some(exit.to_string())),
        None => (None, None),
    };
    Recording {
        ended: ended.as_secs_f64(),
        exit,
        signal,
        ended_by: None,
        stdout: lines.into_iter().map(line).collect(),
        stderr: Vec::new(),
        thread: [service].into_iter().chain(lanes).collect(),
        file: Vec::new(),
        under_way: false,
    }
}

/// What was done to the service, and its end.
fn life(seen: &Seen) -> String {
    let done = seen.done.iter().map(|(at, what)| format!("{what} at {}", words::time(*at)));
    let end = match seen.ended {
        Some((at, Exit::Code(code))) => format!("exit code {code} at {}", words::time(at)),
        Some((at, exit)) => format!("ended by {exit} at {}", words::time(at)),
        None => "still there at the end".to_owned(),
    };
    done.chain([end]).collect::<Vec<_>>().join(", ")
}

/// The requests of one customer, with the times between them.
fn lane(asked: &[&Asked], ended: Duration) -> Thread {
    let (first, last) = (asked[0], asked[asked.len() - 1]);
    let gaps = asked.windows(2).filter(|two| two[0].to < two[1].from).map(|two| Wait {
        from: two[0].to.as_secs_f64(),
        to: two[1].from.as_secs_f64(),
        joins: None,
    });
    let own = format!(" {}", first.by);
    // Why there is none is told by the dot.
    let answer = if last.answer.starts_with("no answer") { "no answer" } else { &last.answer };
    let told = match asked {
        [one] => format!("{} → {answer}", one.what.strip_suffix(&own).unwrap_or(&one.what)),
        many => format!("{}, the last: {answer}", count(many.len(), "request")),
    };
    let room = LABEL.saturating_sub(first.by.chars().count() * 5 / 4);
    Thread {
        name: first.by.clone(),
        born: first.from.as_secs_f64(),
        returned: Some(last.to.min(ended).as_secs_f64()),
        wait: gaps.take(60).collect(),
        told: Some(cut(&plain(&told), room)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::prints::Line;
    use super::super::report;
    use super::super::trials;
    use super::*;

    const BAD: &str = "</script><script>alert(1)</script>\" onload='x' \u{1b}[2J";

    /// An exam in which the fourth trial failed, and the ninth was not tried.
    fn held() -> Report {
        let at = Duration::from_millis;
        let asked = |by: &str, from, to, answer: &str| Asked {
            by: by.to_owned(),
            what: format!("POST /orders?takes=1000 {by}"),
            from: at(from),
            to: at(to),
            answer: answer.to_owned(),
        };
        let seen = Seen {
            asked: vec![
                asked("early", 400, 1400, BAD),
                asked("late", 1200, 1530, "no answer: the connection was closed"),
                asked("refused", 1600, 1610, "no answer: the connection was refused"),
            ],
            done: vec![(at(1500), "SIGTERM".to_owned())],
            ended: Some((at(1520), Exit::Code(0))),
            over: at(1700),
            printed: vec![Line { at: at(100), stderr: false, text: BAD.to_owned() }],
        };
        let outcomes = trials::ALL.iter().map(|trial| Outcome {
            trial: trial.name,
            rule: trial.rule,
            verdict: match trial.name {
                "in-flight" => Verdict::Failed("It got no answer.".to_owned()),
                "synced" => Verdict::NotTried("there is no strace".to_owned()),
                _ => Verdict::Passed,
            },
            lesson: trial.lesson,
            printed: vec![BAD.to_owned()],
            runs: vec![seen.clone()],
            took: at(1700),
        });
        let command = vec!["desk".to_owned(), BAD.to_owned()];
        Report { command, seed: 7, outcomes: outcomes.collect(), took: at(30_000) }
    }

    #[track_caller]
    fn has(text: &str, expected: &str, times: usize) {
        assert_eq!(text.matches(expected).count(), times, "{expected} in {text}");
    }

    #[test]
    fn each_failed_trial_has_the_picture_of_its_run() {
        let page = html(&held());
        let body = page.split_once("<body>").expect("a body").1;
        has(body, "<svg class=\"timeline\"", 1);
        has(body, ">SIGTERM at 1.5 s, exit code 0 at 1.52 s</tspan>", 1);
        has(body, ">POST /orders?takes=1000 → no answer</tspan>", 1);
        // Nobody was there any more.
        has(body, "<tspan class=\"name\">refused</tspan>", 0);
        has(body, "19 of 21 passed, 1 failed: in-flight, 1 not tried: synced (30 s, seed 7).", 1);
    }

    #[test]
    fn what_a_service_says_is_no_html_and_no_command() {
        let page = html(&held());
        has(&page, "<script", 1);
        has(&page, "\" onload", 0);
        for text in [page, report::screen(&held()), report::json(&held())] {
            let is_obeyed = |letter: char| letter.is_control() && letter != '\n';
            assert!(!text.contains(is_obeyed), "{text}");
        }
    }
}
