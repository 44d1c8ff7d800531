//! The mdBook preprocessor: turns each `promise`, `measured` and `outcomes` block into a table in words,
//! each line that names recordings into their pictures and transcripts, and `{{#map}}` into the map.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow};
use maud::{Markup, html};
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use workbook::commands::{
    arguments, check_command, measure_check_command, measure_command, run_command,
};
use workbook::measured::Measured;
use workbook::outcomes::{Outcomes, ending};
use workbook::promise::{CODE, Promise, Run, Scenario};
use workbook::recording::Recording;
use workbook::timeline;
use workbook::workbook::{Lesson, Problem, Workbook, all_of, blocks, measured, outcomes, shown};

use crate::glossary;
use crate::map;

/// The preprocessor, under the name that it has in `book.toml`.
#[derive(Debug)]
pub struct Workshop;

impl Preprocessor for Workshop {
    fn name(&self) -> &str {
        "workbook"
    }

    /// Checks the whole workbook, then renders the promises and the recordings of each chapter and
    /// links the terms of the glossary.
    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let root = context.root.parent().ok_or_else(|| anyhow!("book/ is not in a checkout"))?;
        let workbook = Workbook::load(root).map_err(all_of)?;
        let recordings = workbook.recordings().map_err(all_of)?;
        let map = map::map(&book, &workbook);
        let mut problems = Vec::new();
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item {
                problems.extend(render(chapter, &workbook, &recordings).err());
            }
        });
        problems.extend(glossary::link(&mut book).err().unwrap_or_default());
        // Last, because whoever clicks a lesson's title does not want the meaning of a word in it.
        book.for_each_chapter_mut(|chapter| {
            chapter.content = chapter.content.replace(map::DIRECTIVE, &map);
        });
        if problems.is_empty() { Ok(book) } else { Err(all_of(problems)) }
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(renderer == "html")
    }
}

fn render(
    chapter: &mut Chapter,
    workbook: &Workbook,
    recordings: &BTreeMap<String, Recording>,
) -> Result<(), Problem> {
    let Some(path) = &chapter.source_path else { return Ok(()) };
    let lesson = workbook.lesson_of_page(path);
    let path = Path::new("book/chapters").join(path);
    let problem = |(line, message)| Problem { path: path.clone(), line: Some(line), message };
    let blocks = blocks(&chapter.content).map_err(problem)?;
    let measured = measured(&chapter.content).map_err(problem)?;
    let outcomes = outcomes(&chapter.content).map_err(problem)?;
    // A page without a lesson has no blocks: that was checked.
    let tables =
        blocks.into_iter().filter_map(|block| Some((block.range, table(lesson?, &block.says))));
    let figures =
        measured.into_iter().filter_map(|block| Some((block.range, told(lesson?, &block.says))));
    let overviews = outcomes
        .into_iter()
        .filter_map(|block| Some((block.range, overview(lesson?, &block.says))));
    let shown = shown(&chapter.content).map_err(problem)?;
    let pictures = shown.into_iter().map(|shown| {
        let recorded = shown.scenarios.iter().map(|name| {
            let (lesson, located) = workbook.scenario(name)?;
            Some(timeline::Shown {
                scenario: name,
                command: html! { code { (run_command(lesson, &located.scenario)) } },
                recording: recordings.get(name)?,
            })
        });
        let recorded: Option<Vec<_>> = recorded.collect();
        let recorded = recorded.ok_or_else(|| {
            problem((shown.line, "no lesson's chapter shows a recording of this name".to_owned()))
        })?;
        let markup = match (shown.lines, &recorded[..]) {
            (Some(lines), [one]) => timeline::log(one.recording, lines),
            _ => timeline::figure(&recorded),
        };
        Ok((shown.range, markup))
    });
    let pictures = pictures.collect::<Result<Vec<_>, Problem>>()?;
    let mut rendered: Vec<_> = tables.chain(figures).chain(overviews).chain(pictures).collect();
    // From the last to the first, so that the places of the earlier ones stay right.
    rendered.sort_by_key(|(range, _)| Reverse(range.start));
    for (range, markup) in rendered {
        chapter.content.replace_range(range, &(markup.into_string() + "\n"));
    }
    Ok(())
}

fn table(lesson: &Lesson, scenario: &Scenario) -> Markup {
    let is_exercise = scenario.starter_breaks.is_some();
    let again = if scenario.twice { None } else { scenario.runs.get(1) };
    // The outcome tables lead here; the exercise is in none of them.
    let id = (!is_exercise).then(|| anchor(&scenario.full_name(&lesson.name)));
    html! {
        div.promise {
            table id=[id] {
                caption { code { (run_command(lesson, scenario)) } }
                tbody {
                    (rows(&scenario.runs[0]))
                    @if scenario.twice {
                        tr { th colspan="2" scope="row" {
                            "A second run in the same directory keeps the same promises"
                        } }
                    }
                }
                @if let Some(run) = again {
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
                    "Checked by " code { "cargo test " (lesson.name) } ", once the marker line is gone."
                } @else {
                    "Checked by " code { (check_command(lesson, scenario)) } "."
                }
                @if let Some(version) = scenario.python && scenario.is_python_only() {
                    " It holds from Python " (version) " on."
                } @else if let Some(version) = scenario.python {
                    " The Python twin keeps the same promises, from Python " (version) " on."
                }
            }
        }
    }
}

/// Figures that a chapter tells.
fn told(lesson: &Lesson, measured: &Measured) -> Markup {
    html! {
        div.measured {
            table {
                caption { code { (measure_command(lesson, measured)) } }
                thead { tr { th scope="col" { "it printed" } th scope="col" { "checked" } } }
                tbody {
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
                code { (measure_check_command(lesson, measured)) } "."
            }
        }
    }
}

/// Several scenarios side by side. That each cell is decided was checked.
fn overview(lesson: &Lesson, outcomes: &Outcomes) -> Markup {
    let rows = outcomes.rows.iter();
    let rows = rows.filter_map(|row| Some((row, &lesson.scenario(&row.scenario)?.scenario)));
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
                                a href={ "#" (anchor(&row.scenario)) } { (marked(&row.title)) }
                                " " span.ending { (inline(&ending(scenario))) }
                            }
                            @for answer in outcomes.columns.iter().map(|column| column.answer(scenario)) {
                                @if answer == Some(true) { td { "yes" } } @else { td.no { "no" } }
                            }
                        }
                    }
                }
            }
            p.checked {
                "Read from the promises of each row, to which its first column leads; checked by "
                code { "cargo test " (lesson.name) } "."
            }
        }
    }
}

/// Where the table of a scenario stands in its page.
fn anchor(scenario: &str) -> String {
    format!("promise-{}", scenario.replace("::", "--"))
}

/// Text in which code stands between backticks, as its author wrote it.
fn marked(text: &str) -> Markup {
    inline(&text.replace('`', &CODE.to_string()))
}

fn rows(run: &Run) -> Markup {
    html! {
        @for send in &run.send {
            tr {
                th scope="row" { "the check" }
                td {
                    "sends " (send.signal) " " (inline(&send.when.to_string()))
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

/// Text in which [`CODE`] stands before and after code.
fn inline(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split(CODE).enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
