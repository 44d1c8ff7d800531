//! The tables of a page: what is promised, what was measured, and outcomes side by side.

use std::path::Path;

use maud::{Markup, html};
use workbook::commands::{
    arguments, check_command, exercise_command, measure_check_command, measure_command, run_command,
};
use workbook::exam::Exam;
use workbook::measured::Measured;
use workbook::outcomes::{Outcomes, ending};
use workbook::page::Page;
use workbook::promise::words::{Piece, Words};
use workbook::promise::{Promise, Run, Scenario};
use workbook::workbook::{CHAPTERS, Chapter};

/// What a scenario promises.
pub fn promise(chapter: &Chapter, scenario: &Scenario) -> Markup {
    let is_exercise = scenario.starter_breaks.is_some();
    let again = if scenario.twice { &[] } else { &scenario.runs[1..] };
    // The outcome tables lead here; the exercise is in none of them.
    let id = (!is_exercise).then(|| anchor(&scenario.full_name(&chapter.name)));
    html! {
        div.promise.exercise[is_exercise] {
            table id=[id] {
                caption { code { (run_command(chapter, scenario)) } }
                tbody {
                    (rows(&scenario.runs[0]))
                    @if scenario.twice {
                        tr { th colspan="2" scope="row" {
                            "A second run in the same directory keeps the same promises"
                        } }
                    }
                }
                @for run in again {
                    tbody {
                        tr { th colspan="2" scope="rowgroup" {
                            "Run again in the same directory"
                            @if !run.args.is_empty() { ", with" code { (arguments(&run.args)) } }
                        } }
                        (rows(run))
                    }
                }
            }
            p.checked {
                @if is_exercise {
                    "Checked by " code { "cargo test " (chapter.name) } ", once the marker line is gone."
                } @else {
                    "Checked by " code { (check_command(chapter, scenario)) } "."
                }
                @for (language, version) in &scenario.twins {
                    @if scenario.language().is_some() {
                        " It holds from " (language) " " (version) " on."
                    } @else {
                        " The " (language) " twin keeps the same promises, from " (language) " " (version)
                        " on."
                    }
                }
            }
        }
    }
}

/// The exam that an exercise sits.
pub fn exam(chapter: &Chapter, exam: &Exam) -> Markup {
    let passed = exam.starter_passes.iter().enumerate();
    html! {
        div.promise.exercise.exam {
            table {
                caption { code { (exercise_command(chapter)) } }
                tbody {
                    tr { th scope="row" { "the exam" } td { "passes each trial that can be tried here" } }
                    tr {
                        th scope="row" { "untouched" }
                        td {
                            "passes "
                            @for (index, trial) in passed {
                                @if index > 0 { ", " }
                                code { (trial) }
                            }
                            ", and fails the others"
                        }
                    }
                }
            }
            p.checked {
                "Checked by " code { "cargo test " (chapter.name) } ", once the marker line is gone."
                @for (language, version) in &exam.solutions {
                    " The solution in " (language) " passes the same trials, from " (language) " " (version)
                    " on."
                }
            }
        }
    }
}

/// Figures that a chapter tells.
pub fn measured(chapter: &Chapter, measured: &Measured) -> Markup {
    html! {
        div.measured {
            table {
                caption { code { (measure_command(chapter, measured)) } }
                @let head = if measured.tally.is_some() { "it ended" } else { "it printed" };
                thead { tr { th scope="col" { (head) } th scope="col" { "checked" } } }
                tbody {
                    @if let Some(tally) = &measured.tally {
                        @for way in &tally.ways {
                            tr {
                                td { (way.was) " of " (tally.runs) " runs " (way.words()) }
                                td { (way.range()) }
                            }
                        }
                    }
                    @for figure in &measured.figures {
                        tr {
                            td { code { (figure.pattern.filled(&figure.was.to_string())) } }
                            td { (figure.holds()) }
                        }
                    }
                }
            }
            p.checked {
                "Measured on " (measured.date) ", on " (measured.machine) ". Your figures will be \
                 others; what stands under " em { "checked" } " is held by "
                code { (measure_check_command(chapter, measured)) } "."
            }
        }
    }
}

/// Several scenarios side by side. That each cell is decided was checked.
pub fn outcomes(chapter: &Chapter, page: &Page, outcomes: &Outcomes) -> Markup {
    let rows = outcomes.rows.iter();
    let rows = rows.filter_map(|row| Some((row, chapter.scenario(&row.scenario)?)));
    html! {
        div.outcomes {
            table {
                caption { (marked(&outcomes.caption)) }
                thead {
                    tr {
                        th scope="col" { (marked(&outcomes.head)) }
                        @for column in &outcomes.columns {
                            th scope="col" { span { (marked(&column.title)) } }
                        }
                    }
                }
                tbody {
                    @for (row, scenario) in rows {
                        tr {
                            th scope="row" {
                                a href={ (way(page, &scenario.place.path)) "#" (anchor(&row.scenario)) } {
                                    (marked(&row.title))
                                }
                                " " span.ending { (inline(&ending(&scenario.says))) }
                            }
                            @for answer in outcomes.columns.iter().map(|column| column.answer(&scenario.says)) {
                                @if answer == Some(true) { td { "yes" } } @else { td.no { "no" } }
                            }
                        }
                    }
                }
            }
            p.checked {
                "Read from the promises of each row, to which its first column leads; checked by "
                code { "cargo test " (chapter.name) } "."
            }
        }
    }
}

/// Where the table of a scenario stands in its page.
fn anchor(scenario: &str) -> String {
    format!("promise-{}", scenario.replace("::", "--"))
}

/// How a link in a page leads to another one; to the page itself it needs no path.
fn way(page: &Page, to: &Path) -> String {
    if page.path == to {
        return String::new();
    }
    let below = |path: &Path| path.strip_prefix(CHAPTERS).unwrap_or(path).to_owned();
    let up = below(&page.path).components().count().saturating_sub(1);
    format!("{}{}", "../".repeat(up), below(to).display())
}

/// Text in which code stands between backticks, as its author wrote it.
fn marked(text: &str) -> Markup {
    inline(&Words::marked(text))
}

fn rows(run: &Run) -> Markup {
    html! {
        @for send in &run.send {
            tr {
                th scope="row" { "the check" }
                td {
                    "sends " (send.signal) " " (inline(&send.when.words()))
                }
            }
        }
        @for same in run.promises.chunk_by(|one, next| one.subject() == next.subject()) {
            @for (index, promise) in same.iter().enumerate() {
                tr {
                    @if index == 0 && same.len() == 1 {
                        th scope="row" { (inline(&promise.subject())) }
                    } @else if index == 0 {
                        th scope="rowgroup" rowspan=(same.len()) { (inline(&promise.subject())) }
                    }
                    td { (words(promise)) }
                }
            }
        }
    }
}

fn words(promise: &Promise) -> Markup {
    match promise.listed() {
        None => inline(&promise.words()),
        Some((words, lines)) => html! {
            (words) ol { @for line in lines { li { code { (line) } } } }
        },
    }
}

/// Words as HTML.
pub(crate) fn inline(words: &Words) -> Markup {
    html! {
        @for piece in words.pieces() {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Code(code) => code { (code) },
            }
        }
    }
}
