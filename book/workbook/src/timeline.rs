//! Draws recordings: one lane for each thread, and what is left behind.
//!
//! The picture is inline SVG without a view box. Positions in time are per cent of the width, all
//! other sizes are pixels, so that it fills a wide page and a phone's with text of the same size.
//! Colours come from `theme/workbook.css`; nothing is told by colour alone.
//!
//! `theme/workbook.js` replays a figure. It draws over the pictures, below their labels, and reads
//! from the figure what it cannot see there: the seconds that the axis spans (`data-span`), when
//! each line of a transcript came (`data-at`), and when the process ended (`data-ended`), which is
//! when everything without a time of its own is known. So the log's format is read in Rust alone.

use std::collections::BTreeSet;

use lesson_log::LogLine;
use maud::{Markup, html};

use crate::recording::{File, Recording, Thread, Wait};

/// A recording to draw: the name of its scenario, and the command that a reader types to see it.
pub struct Drawn<'a> {
    /// Such as `heartbeat::joined`.
    pub scenario: &'a str,
    /// Such as `cargo run -p heartbeat --bin heartbeat-joined`.
    pub command: Markup,
    /// What happened.
    pub recording: &'a Recording,
    /// Of a run that a reader has made, its number, and when it was promised to end.
    pub run: Option<(String, Option<f64>)>,
}

/// Heights and distances in pixels.
const TOP: f64 = 22.0;
const LANE: f64 = 46.0;
const BAR_Y: f64 = 18.0;
const BAR: f64 = 14.0;
const AXIS: f64 = 26.0;
const FILE: f64 = 26.0;

/// More threads than this are drawn as the first, the last, and a count of those between.
const MOST_LANES: usize = 12;

/// Recordings above one another on one time axis, each with its transcript.
pub fn figure(shown: &[Drawn<'_>]) -> Markup {
    spanning(shown, 0.01)
}

/// The same on an axis of so many seconds, or more if that takes it.
pub fn spanning(shown: &[Drawn<'_>], least: f64) -> Markup {
    let span = shown.iter().map(|one| one.recording.ended).fold(least, f64::max);
    html! {
        figure.recording data-span=(span) {
            @for one in shown {
                p { (one.command) }
                (picture(one, span))
            }
            @for one in shown {
                details {
                    summary { "Transcript of " (one.command) }
                    (transcript(one.recording))
                }
            }
        }
    }
}

/// The first lines of a recording's log.
pub fn log(recording: &Recording, lines: usize) -> Markup {
    html! {
        pre.transcript { @for line in recording.stdout.iter().take(lines) { samp { (line) } "\n" } }
    }
}

/// One line an element, so that no blank line ends the HTML in the middle of a page of Markdown.
fn transcript(recording: &Recording) -> Markup {
    let at = |line: &str| {
        let log = line.parse::<LogLine>().ok()?;
        // Its clock is the program's, the end's is the recorder's: they differ by milliseconds.
        Some(log.at.as_secs_f64().min(recording.ended))
    };
    html! {
        pre.transcript data-ended=(recording.ended) {
            @for line in &recording.stdout { samp data-at=[at(line)] { (line) } "\n" }
            @if !recording.stderr.is_empty() {
                em { "On standard error:" } "\n"
                @for line in &recording.stderr { samp { (line) } "\n" }
            }
            em data-at=(recording.ended) { (the_end(recording)) "." }
            @for file in &recording.file {
                "\n" em { (left_behind(file)) @if !file.last.is_empty() { ", at the end:" } }
                @for line in &file.last { "\n" samp { (line) } }
            }
        }
    }
}

/// How the process ended, as a sentence's end.
fn the_end(recording: &Recording) -> String {
    let at = seconds(recording.ended);
    match (recording.exit, &recording.signal) {
        _ if recording.under_way => format!("It runs, {at} so far"),
        (Some(code), _) => format!("The process ends at {at}, exit code {code}"),
        (None, Some(signal)) => format!("{signal} ends the process at {at}"),
        (None, None) => format!("It would go on; the recording stops at {at}"),
    }
}

fn picture(shown: &Drawn<'_>, span: f64) -> Markup {
    let Drawn { scenario, recording, run, .. } = shown;
    let (number, promised) = match run {
        Some((number, promised)) => (format!("-run-{number}"), *promised),
        None => (String::new(), None),
    };
    let id = format!("recording-{}{number}", scenario.replace("::", "-"));
    let lanes = lanes(recording);
    let axis = TOP + LANE * lanes.len() as f64;
    let height = axis + AXIS + FILE * recording.file.len() as f64;
    let scale = Scale { span };
    let place = |index: usize| format!("translate(0 {})", TOP + LANE * index as f64);
    html! {
        svg.timeline id=(id) role="img" width="100%" height=(height)
            aria-labelledby=(format!("{id}-title {id}-description"))
            xmlns="http://www.w3.org/2000/svg" {
            title id=(format!("{id}-title")) { "The threads of " (scenario) " over time" }
            desc id=(format!("{id}-description")) {
                (description(recording))
                @if let Some(promised) = promised { " The promised end is at " (seconds(promised)) "." }
            }
            (axis_marks(&scale, axis))
            (dots_of_nobody(recording, &scale, axis))
            (end_of_process(recording, &scale, axis))
            @if let Some(promised) = promised {
                @let x = scale.at(promised);
                line.promised x1=(x) x2=(x) y1="16" y2=(axis + 5.0) {}
            }
            @for (index, lane) in lanes.iter().enumerate() {
                @if let Lane::Thread(thread) = lane {
                    g transform=(place(index)) { (life(thread, recording, &scale)) }
                }
            }
            (joins(recording, &lanes, &scale))
            g.labels {
                (label_of_end(recording, &scale))
                @for (index, lane) in lanes.iter().enumerate() {
                    g transform=(place(index)) { (label(lane, recording)) }
                }
            }
            @for (index, file) in recording.file.iter().enumerate() {
                g transform=(format!("translate(0 {})", axis + AXIS + FILE * index as f64)) {
                    rect.file x="1%" y="2" width="97%" height=(FILE - 6.0) rx="3" {}
                    text x="2%" y="16" { (left_behind(file)) }
                }
            }
        }
    }
}

/// A row of the picture.
#[derive(Debug, PartialEq)]
enum Lane<'a> {
    Thread(&'a Thread),
    /// So many threads that are not drawn.
    Others(usize),
}

fn lanes(recording: &Recording) -> Vec<Lane<'_>> {
    let threads = &recording.thread;
    // Who tells how each of them ended has chosen which to draw.
    if threads.len() <= MOST_LANES || threads.iter().all(|thread| thread.told.is_some()) {
        return threads.iter().map(Lane::Thread).collect();
    }
    let (first, last) = (MOST_LANES - 4, 3);
    let hidden = threads.len() - first - last;
    let mut lanes: Vec<_> = threads[..first].iter().map(Lane::Thread).collect();
    lanes.push(Lane::Others(hidden));
    lanes.extend(threads[threads.len() - last..].iter().map(Lane::Thread));
    lanes
}

/// Where a time stands, in per cent of the width.
struct Scale {
    /// The seconds that the whole axis spans.
    span: f64,
}

impl Scale {
    const LEFT: f64 = 1.0;
    const WIDTH: f64 = 97.0;

    fn at(&self, seconds: f64) -> String {
        percent(Self::LEFT + self.length(seconds))
    }

    fn width(&self, from: f64, to: f64) -> String {
        percent(self.length((to - from).max(0.0)))
    }

    fn length(&self, seconds: f64) -> f64 {
        Self::WIDTH * seconds / self.span
    }

    /// The distance of the marks: the smallest round one that gives at most six.
    fn step(&self) -> f64 {
        let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0];
        steps.into_iter().find(|step| self.span / step <= 6.0).unwrap_or(self.span)
    }
}

fn percent(value: f64) -> String {
    format!("{}%", (value * 100.0).round() / 100.0)
}

fn axis_marks(scale: &Scale, axis: f64) -> Markup {
    let step = scale.step();
    // A quotient such as 5.999… is meant to be 6.
    let count = (scale.span / step + 0.001).floor() as usize;
    html! {
        g.axis {
            line x1=(scale.at(0.0)) x2=(scale.at(scale.span)) y1=(axis) y2=(axis) {}
            @for mark in 0..=count {
                @let time = step * mark as f64;
                @let x = scale.at(time);
                line x1=(x) x2=(x) y1=(axis) y2=(axis + 5.0) {}
                text x=(x) y=(axis + 18.0) text-anchor=(anchor(mark == 0, time, scale)) {
                    (seconds(time))
                }
            }
        }
    }
}

/// Text at the edges of the picture stays inside it.
fn anchor(is_first: bool, time: f64, scale: &Scale) -> &'static str {
    if is_first {
        "start"
    } else if scale.span - time < scale.span / 20.0 {
        "end"
    } else {
        "middle"
    }
}

fn label(lane: &Lane<'_>, recording: &Recording) -> Markup {
    html! {
        @match lane {
            Lane::Thread(thread) => text x="1%" y="12" {
                tspan.name { (thread.name) }
                tspan.(if is_torn(thread, recording) { "cut" } else { "fate" }) dx="8" {
                    (fate(thread, recording))
                }
            },
            Lane::Others(count) => text.fate x="1%" y=(BAR_Y + 8.0) {
                "… and " (count) " more threads …"
            },
        }
    }
}

/// The recorder's end is not the program's: it tears nothing.
fn is_torn(thread: &Thread, recording: &Recording) -> bool {
    recording.cuts(thread) && !recording.goes_on()
}

/// A thread's bars, the dots of its log, and its end.
fn life(thread: &Thread, recording: &Recording, scale: &Scale) -> Markup {
    let end = thread.returned.unwrap_or(recording.ended);
    html! {
        @for (from, to) in work(thread, end) {
            rect.work x=(scale.at(from)) y=(BAR_Y) width=(scale.width(from, to)) height=(BAR) {}
        }
        @for wait in &thread.wait {
            rect.wait x=(scale.at(wait.from)) y=(BAR_Y) width=(scale.width(wait.from, wait.to))
                height=(BAR) {}
            @if scale.length(wait.to - wait.from) > 30.0 {
                text.waiting x=(scale.at((wait.from + wait.to) / 2.0)) y=(BAR_Y + 11.0)
                    text-anchor="middle" { (waits(wait)) }
            }
        }
        @for line in dots(thread, recording) {
            circle.dot cx=(scale.at(line.at.as_secs_f64().min(end))) cy=(BAR_Y + BAR / 2.0) r="4" {
                title { (line.to_string().trim_start()) }
            }
        }
        @if is_torn(thread, recording) {
            svg.torn x=(scale.at(end)) y=(BAR_Y) overflow="visible" {
                path d="M2 -2 L2 16 L-5 14.5 L0 11.5 L-6 8.5 L0 5.5 L-6 2.5 L-2 -2 Z" {}
                polyline points="-5,14.5 0,11.5 -6,8.5 0,5.5 -6,2.5 -2,-1" {}
            }
        } @else if !recording.goes_on() || thread.returned.is_some() {
            line.returned x1=(scale.at(end)) x2=(scale.at(end)) y1=(BAR_Y - 3.0) y2=(BAR_Y + BAR + 3.0) {}
        }
    }
}

/// The times between a thread's waits.
fn work(thread: &Thread, end: f64) -> Vec<(f64, f64)> {
    let mut work = Vec::new();
    let mut from = thread.born;
    for wait in &thread.wait {
        work.push((from, wait.from));
        from = wait.to;
    }
    work.push((from, end));
    work.retain(|(from, to)| from < to);
    work
}

fn dots<'a>(thread: &'a Thread, recording: &'a Recording) -> impl Iterator<Item = LogLine> + 'a {
    recording.log().filter(|line| line.thread == thread.name)
}

/// On the axis, the lines of which no thread is known.
fn dots_of_nobody(recording: &Recording, scale: &Scale, axis: f64) -> Markup {
    html! {
        @for line in lines_of_nobody(recording) {
            circle.dot cx=(scale.at(line.at.as_secs_f64().min(recording.ended))) cy=(axis) r="4" {
                title { (line.to_string().trim_start()) }
            }
        }
    }
}

fn lines_of_nobody(recording: &Recording) -> impl Iterator<Item = LogLine> + '_ {
    let names: BTreeSet<_> = recording.thread.iter().map(|thread| &*thread.name).collect();
    recording.log().filter(move |line| !names.contains(&*line.thread))
}

fn waits(wait: &Wait) -> String {
    match &wait.joins {
        Some(thread) => format!("waits for {thread}"),
        None => "waits".to_owned(),
    }
}

fn fate(thread: &Thread, recording: &Recording) -> String {
    if let Some(told) = &thread.told {
        return told.clone();
    }
    let message = format!("thread '{}' panicked at", thread.name);
    let has_panicked = recording.stderr.iter().any(|line| line.starts_with(&message));
    match thread.returned {
        // It may have caught the panic and gone on.
        Some(time) if has_panicked => format!("ends at {}, after a panic", seconds(time)),
        Some(time) => format!("returns at {}", seconds(time)),
        None if !recording.cuts(thread) => {
            format!("ends the process at {}", seconds(recording.ended))
        }
        None if recording.goes_on() => {
            let waits = thread.wait.last().is_some_and(|wait| wait.to >= recording.ended);
            let does = if waits { "waits" } else { "runs" };
            format!("still {does} at {}", seconds(recording.ended))
        }
        None => format!("cut off at {}", seconds(recording.ended)),
    }
}

/// From each joined thread's end an arrow to the thread that waited for it.
fn joins(recording: &Recording, lanes: &[Lane<'_>], scale: &Scale) -> Markup {
    let lane = |name: &str| {
        lanes.iter().position(|lane| matches!(lane, Lane::Thread(thread) if thread.name == name))
    };
    // A join that has not come to its end points at nothing.
    let is_over = |wait: &&Wait| {
        let joined =
            recording.thread.iter().find(|thread| Some(&thread.name) == wait.joins.as_ref());
        joined.is_some_and(|thread| thread.returned.is_some())
    };
    let middle = |lane: usize| TOP + LANE * lane as f64 + BAR_Y + BAR / 2.0;
    html! {
        @for thread in &recording.thread {
            @for wait in thread.wait.iter().filter(is_over) {
                @if let (Some(to), Some(from)) =
                    (lane(&thread.name), wait.joins.as_deref().and_then(lane)) {
                    @let (from, to) = (middle(from), middle(to));
                    @let tip = to + (BAR / 2.0 + 2.0) * (from - to).signum();
                    svg.join x=(scale.at(wait.to)) y="0" overflow="visible" {
                        line x1="-8" x2="-8" y1=(from) y2=(tip) {}
                        path d=(format!("M-8 {tip} l-4 {d} l8 0 Z", d = 7.0 * (from - to).signum())) {}
                    }
                }
            }
        }
    }
}

fn end_of_process(recording: &Recording, scale: &Scale, axis: f64) -> Markup {
    let x = scale.at(recording.ended);
    html! {
        line.(if recording.goes_on() { "stop" } else { "end" }) x1=(x) x2=(x) y1="16" y2=(axis) {}
    }
}

fn label_of_end(recording: &Recording, scale: &Scale) -> Markup {
    // On a phone the sentence takes two thirds of the width.
    let (text_x, anchor) = match recording.ended / scale.span {
        0.66.. => (scale.at(recording.ended), "end"),
        _ => (scale.at(0.0), "start"),
    };
    html! {
        text x=(text_x) y="12" text-anchor=(anchor) { (the_end(recording)) }
    }
}

fn left_behind(file: &File) -> String {
    let lines = match file.lines {
        // A database, or whatever else has no lines.
        0 if file.size > 0 && !file.torn => return format!("{}: {} bytes", file.name, file.size),
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let torn = if file.torn { ", then a torn one" } else { "" };
    format!("{}: {lines}{torn}, {} bytes", file.name, file.size)
}

/// The picture in words, for whoever does not see it.
fn description(recording: &Recording) -> String {
    let mut sentences = Vec::new();
    let lanes = lanes(recording);
    for lane in &lanes {
        let Lane::Thread(thread) = lane else { continue };
        let born = seconds(thread.born);
        let mut clauses = vec![match thread.told {
            Some(_) => format!("{}: from {born} on", thread.name),
            None => format!("{} starts at {born}", thread.name),
        }];
        match dots(thread, recording).count() {
            0 => {}
            1 => clauses.push("logs 1 line".to_owned()),
            lines => clauses.push(format!("logs {lines} lines")),
        }
        for wait in thread.wait.iter().filter(|wait| wait.joins.is_some()) {
            clauses.push(format!(
                "{} from {} to {}",
                waits(wait),
                seconds(wait.from),
                seconds(wait.to)
            ));
        }
        clauses.push(fate(thread, recording));
        sentences.push(clauses.join(", "));
    }
    match lines_of_nobody(recording).count() {
        0 => {}
        1 => sentences.push("1 line is printed".to_owned()),
        lines => sentences.push(format!("{lines} lines are printed")),
    }
    if lanes.len() < recording.thread.len() {
        sentences.push(format!("There are {} threads in all", recording.thread.len()));
    }
    sentences.push(the_end(recording));
    sentences.extend(recording.file.iter().map(|file| format!("It leaves {}", left_behind(file))));
    sentences.join(". ") + "."
}

/// A time as the chapters write it: `3.5 s`.
fn seconds(time: f64) -> String {
    format!("{} s", (time * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests;
