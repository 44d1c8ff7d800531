//! A run as one page that asks for nothing: the book's picture of it with its replay, and all that the
//! screen tells.
//!
//! Every text of the program's passes [`plain`] and then maud, which escapes HTML; a policy in the page
//! forbids all that is not this page's own.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use lesson_log::LogLine;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use workbook::recording::{self, Recording};
use workbook::timeline::{self, Drawn};
use workbook::tracer::{End, Fate};

use crate::report::rows::{self, MOST_ALONE, Row};
use crate::report::words::{self, count, cut, end, plain, seconds, signal};
use crate::report::{LONGEST_LINE, MOST_LINES, MOST_WAITS, Report, lesson, longest, wait};

/// The book's own, so that pictures and replays are the same ones.
const STYLES: [&str; 2] = [include_str!("../../theme/workbook.css"), include_str!("page.css")];
const SCRIPT: &str = include_str!("../../theme/workbook.js");

/// Of more threads, groups, files or children only the first are in the page.
const MOST_ROWS: usize = 200;

/// Of more threads or groups only the first are in the picture.
const MOST_LANES: usize = 40;

/// Of more waits only the longest are in the picture.
const MOST_BARS: usize = 60;

/// The letters above a bar that a phone has room for; four of a name, which is bold, are as wide as five.
const LABEL: usize = 50;

/// The page of a run. It takes no more than 4 MB, whatever the program did.
pub fn html(report: &Report) -> String {
    let sight = &report.sight;
    let names = rows::names(sight);
    let mut rows = rows::alone(sight, &names);
    if rows.len() > MOST_ALONE {
        rows = rows::grouped(sight, &names);
    }
    let command = cut(&report.command(), LONGEST_LINE);
    let (lesson, seen) = lesson::worst(sight);
    let program = sight.command.first().map_or("a program", |word| file_name(word));
    let recording = recorded(report, &rows);
    let drawn = Drawn {
        scenario: &identifier(program),
        command: html! { code { (cut(&command, 80)) } },
        recording: &recording,
        run: None,
    };
    let body = html! {
        h1 { "How it ended: " code { (cut(&command, 200)) } }
        p { "It ended " (end(sight, &names)) "." }
        p.worst {
            "To read in the book: " strong { (lesson.title) } " (" code { (lesson.page) } "), because "
            (code(&seen)) "."
        }
        (timeline::figure(&[drawn]))
        p {
            "A dot on the axis is a line that it printed; which thread did was not seen."
            @if rows.iter().any(|row| row.members.len() > 1) {
                " The bar of a group goes from the first birth in it to the last end."
            }
        }
        (threads(&rows))
        @if let Some(nobody) = rows::unawaited(sight, &names) { p { "N" (&nobody[1..]) "." } }
        (list("What main waited for", sight.waits.len(), sight.waits.iter().map(|one| {
            (seconds(one.from), wait(one, &names))
        })))
        (list("Signals", sight.signals.len(), words::signals(sight, &names).into_iter().filter_map(|line| {
            line.split_once(' ').map(|(signal, said)| (signal.to_owned(), said.to_owned()))
        })))
        (list("Files", sight.files.len(), sight.files.iter().map(|file| {
            (plain(&file.path.to_string_lossy()), lesson::left(file))
        })))
        (list("Processes that live on", sight.children.len(), sight.children.iter().map(|child| {
            (format!("{} ({})", child.pid, plain(&child.name)), plain(&child.command))
        })))
        (list("Where the work was done", 1, report.worker().into_iter().map(|worker| ("Not here".to_owned(), worker))))
        h2 { "What could not be seen" }
        ul { @for limit in report.unseen() { li { (limit) "." } } }
        (holds(report))
    };
    document(&format!("How it ended: {}", cut(&command, 80)), sight.pid, &body)
}

/// A whole page of this text, in the book's looks and with the replay of its pictures. Nothing in it is obeyed
/// but what is this page's own.
pub(crate) fn document(title: &str, chance: impl Hash, body: &Markup) -> String {
    // Nothing that a program has printed can guess it.
    let nonce = format!("{:016x}", RandomState::new().hash_one(chance));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; \
         base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Without one, a browser asks for it.
                link rel="icon" href="data:,";
                title { (title) }
                style nonce=(nonce) { @for style in STYLES { (PreEscaped(style)) } }
            }
            body {
                main { (body) }
                script nonce=(nonce) { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn threads(rows: &[Row]) -> Markup {
    list("Threads", rows.len(), rows.iter().map(|row| (row.name.clone(), row.said())))
}

/// A heading, and under it so many things of which each has a name; nothing if there is none.
fn list(title: &str, all: usize, things: impl Iterator<Item = (String, String)>) -> Markup {
    let mut things = things.take(MOST_ROWS).peekable();
    if things.peek().is_none() {
        return html! {};
    }
    html! {
        h2 { (title) }
        dl {
            @for (name, said) in things { div { dt { (cut(&name, LONGEST_LINE)) } dd { (code(&cut(&said, LONGEST_LINE))) } } }
        }
        @if all > MOST_ROWS { p { "… and " (all - MOST_ROWS) " more, which the JSON has." } }
    }
}

/// Text in which the name of a call stands between backticks.
pub(crate) fn code(text: &str) -> Markup {
    let parts: Vec<_> = text.splitn(3, '`').collect();
    match parts[..] {
        [before, call, after] => html! { (before) code { (call) } (after) },
        _ => html! { (text) },
    }
}

/// What is in the page and what is not, for whoever passes it on.
fn holds(report: &Report) -> Markup {
    html! {
        h2 { "What this page holds" }
        p {
            "The command and those of its children"
            @if report.left_out.is_some() { ", all of them without arguments" }
            ", names of threads, names and sizes of files, addresses of connections, and times."
            @match report.left_out {
                Some((_, lines)) => {
                    " The arguments and " (count(lines, "printed line")) " are left out."
                }
                None => {
                    " Also the last lines that the program printed: at most " (MOST_LINES)
                    " of at most " (LONGEST_LINE) " letters, and the first that tells of a failure."
                }
            }
            " It holds nothing of the program's environment and nothing of what is in its files, and it asks \
             for nothing outside itself. "
            "More than " (MOST_ALONE) " threads are grouped by name without digits, ending and kind of call. There \
             are at most " (MOST_LANES) " lanes in the picture, " (MOST_WAITS) " waits, and " (MOST_ROWS)
            " entries under each heading."
        }
        p { "Made by " code { "when-main-returns trace" } " of the book " cite { "When main Returns" } "." }
    }
}

/// The run as the book's picture takes it: a lane for each of the rows.
fn recorded(report: &Report, rows: &[Row]) -> Recording {
    let sight = &report.sight;
    let rows = &rows[..rows.len().min(MOST_LANES)];
    let mut lane_of = vec![None; sight.threads.len()];
    for row in rows {
        row.members.iter().for_each(|index| lane_of[*index] = Some(lane(&row.name)));
    }
    let lane_of = |index: usize| lane_of.get(index).cloned().flatten();
    let waits = |row: &Row| {
        let waits =
            if row.members.contains(&0) { longest(&sight.waits, MOST_BARS) } else { Vec::new() };
        let bars = waits.iter().map(|wait| recording::Wait {
            from: wait.from,
            to: wait.to.min(sight.ended),
            joins: wait.joins.and_then(lane_of),
        });
        bars.collect()
    };
    let thread = |row: &Row| {
        let threads = || row.members.iter().map(|index| &sight.threads[*index]);
        let ends = threads().map(|thread| match thread.fate {
            Fate::Ended(at) | Fate::Replaced(at) => Some(at),
            Fate::Ending => Some(sight.ended),
            Fate::EndedTheProcess | Fate::Cut(_) => None,
        });
        recording::Thread {
            name: lane(&row.name),
            born: threads().map(|thread| thread.born).fold(f64::MAX, f64::min),
            returned: ends.reduce(|one, other| Some(one?.max(other?))).flatten(),
            wait: waits(row),
            told: Some(cut(
                &row.ending.replace('`', ""),
                LABEL.saturating_sub(row.name.chars().count() * 5 / 4),
            )),
        }
    };
    let (exit, signal) = match sight.end {
        End::Exit { code, .. } => (Some(code), None),
        End::Signal { signal: number, .. } => (None, Some(signal(number))),
    };
    let alarm = sight.alarm.iter().filter(|alarm| !sight.printed.contains(alarm));
    let printed = alarm.chain(&sight.printed).map(|printed| {
        let line = LogLine {
            at: Duration::try_from_secs_f64(printed.at).unwrap_or_default(),
            thread: if printed.stderr { STREAMS[1] } else { STREAMS[0] }.to_owned(),
            text: plain(&printed.line),
        };
        line.to_string()
    });
    Recording {
        ended: sight.ended,
        exit,
        signal,
        ended_by: match sight.end {
            End::Exit { by: Some(by), .. } => lane_of(by),
            _ => None,
        },
        stdout: printed.collect(),
        stderr: Vec::new(),
        thread: rows.iter().map(thread).collect(),
        file: Vec::new(),
        under_way: false,
    }
}

/// What stands in the place of a line's thread, which nobody knows.
const STREAMS: [&str; 2] = ["stdout", "stderr"];

/// The name of a lane; none is that of a stream, for the streams' lines are no thread's.
fn lane(name: &str) -> String {
    if STREAMS.contains(&name) { format!("thread {name}") } else { name.to_owned() }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name that can stand in an `id` and in a title.
fn identifier(name: &str) -> String {
    let letters =
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter));
    let name: String = letters.take(40).collect();
    if name.is_empty() { "a-program".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use workbook::tracer::call::Doing;
    use workbook::tracer::{Sight, Thread};

    use super::super::report::samples::{asleep, call, child, crawler, file, line, thread, wait};
    use super::*;

    fn page(change: impl FnOnce(&mut Sight)) -> String {
        let mut sight = crawler();
        change(&mut sight);
        html(&Report::new(sight, false))
    }

    #[track_caller]
    fn has(page: &str, expected: &str, times: usize) {
        let body = page.split_once("<body>").expect("a body").1;
        let body = body.split_once("<script").expect("a script").0;
        assert_eq!(body.matches(expected).count(), times, "{expected} in {body}");
    }

    #[test]
    fn a_run_is_a_picture_and_its_words() {
        let page = page(|_| ());
        has(&page, "<svg class=\"timeline\" id=\"recording-python3\"", 1);
        has(&page, "<tspan class=\"cut\" dx=\"8\">cut off, in write to output.txt</tspan>", 1);
        has(&page, ">ended by itself at 2.1 s</tspan>", 1);
        has(&page, "class=\"torn\"", 2);
        has(&page, "class=\"join\"", 1);
        has(&page, ">waits for thread 4 (python3)<", 0);
        has(&page, "<circle class=\"dot\"", 2);
        has(&page, "<samp data-at=\"3.5\"> 3.500s stdout     all pages fetched</samp>", 1);
        has(&page, "<dt>writer</dt><dd>cut off, in <code>write</code> to output.txt</dd>", 1);
        has(&page, "<p>Nobody was seen waiting for writer and heartbeat.</p>", 1);
        has(&page, "<strong>The file that stops in the middle</strong>", 1);
        has(&page, "cannot be seen.</li>", 2);
        has(&page, "at most 200 of at most 500 letters", 1);
    }

    #[test]
    fn what_the_program_says_is_no_html_and_no_command() {
        let bad = "</script><script>alert(1)</script>\" onload='x' \u{1b}[2J\u{202e}\0";
        let page = page(|sight| {
            sight.command = vec![bad.to_owned(), bad.to_owned()];
            sight.threads[1].name = bad.to_owned();
            sight.threads[2].fate = Fate::Cut(call("write", Some(bad)));
            sight.printed.push(line(1.0, bad));
            sight.files.push(file(bad, 1, true, workbook::tracer::Tail::Torn));
            sight.children.push(child(1, bad));
        });
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        has(&page, "alert(1)", 15);
        has(&page, "\" onload", 0);
        let is_obeyed = |letter: char| letter.is_control() && letter != '\n';
        assert!(!page.contains(is_obeyed) && !page.contains('\u{202e}'), "{page}");
    }

    #[test]
    fn a_page_asks_for_nothing() {
        let page = page(|_| ());
        let head = page.split_once("<style").expect("a style").0;
        assert!(head.contains("default-src 'none'"), "{head}");
        for asks in [" src=", "@import", "url(", "fetch(", "http://", "https://"] {
            // The name of a format is no address.
            let page = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!page.contains(asks), "{asks} in {page}");
        }
    }

    #[test]
    fn what_is_left_out_is_not_in_the_page() {
        let mut sight = crawler();
        sight.children.push(child(9, "sidecar"));
        let page = html(&Report::new(sight, true));
        for secret in ["--to", "crawl.py", "fetched", "goodbye", "hunter2"] {
            has(&page, secret, 0);
        }
        has(&page, "The arguments and 2 printed lines are left out.", 1);
        has(&page, "python3 (3 arguments left out)", 3);
    }

    #[test]
    fn threads_that_come_and_go_are_one_lane() {
        let page = page(|sight| {
            let pool = (0..5000).map(|id| Thread {
                joined_by: Some(0),
                ..thread(id, &format!("worker-{id}"), Fate::Ended(2.0))
            });
            sight.threads.extend(pool);
            sight.waits.push(wait(1.0, 2.0, Some(77)));
        });
        has(&page, "<tspan class=\"name\">", 5);
        has(&page, "<tspan class=\"name\">5000 threads worker-*</tspan>", 1);
        has(&page, ">ended by themselves at…<", 1);
        has(&page, "The bar of a group goes from", 1);
        has(&page, "class=\"join\"", 2);
    }

    #[test]
    fn a_thread_named_as_a_stream_gets_no_line() {
        let page = page(|sight| sight.threads[1].name = "stdout".to_owned());
        has(&page, "<tspan class=\"name\">thread stdout</tspan>", 1);
        has(&page, "2 lines are printed.", 1);
    }

    /// As much as there can be of everything.
    fn flood() -> Sight {
        let mut sight = crawler();
        let long = "<心>".repeat(1000);
        sight.command.extend((0..1000).map(|_| long.clone()));
        for number in 0..5000_u32 {
            // No two names are alike without their digits.
            let name = format!("{}<worker>", char::from_u32(0x4e00 + number).unwrap_or('x'));
            let doing = if number % 2 == 0 { Doing::Computing } else { asleep(1.0) };
            sight.threads.push(thread(number, &name, Fate::Cut(doing)));
            sight.waits.push(wait(f64::from(number), f64::from(number) + 0.1, Some(1)));
            sight.printed.push(line(1.0, &long));
            sight.files.push(file(&long, 1, true, workbook::tracer::Tail::Whole));
            sight.children.push(child(number, &long));
        }
        sight.ended = 6000.0;
        sight
    }

    #[test]
    fn a_page_has_a_bound() {
        let page = html(&Report::new(flood(), false));
        assert!(page.len() < 4_000_000, "{}", page.len());
        has(&page, "<tspan class=\"name\">", MOST_LANES);
        has(&page, "<samp", MOST_LINES);
        has(&page, "more, which the JSON has", 3);
    }
}
