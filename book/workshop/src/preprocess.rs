//! The mdBook preprocessor: turns each `promise`, `measured` and `outcomes` block into a table in words,
//! each line that names recordings into their pictures and transcripts, `{{#minutes}}` into the time
//! that a page takes, `{{#map}}` into the map, and `{{#way …}}` into a short way through the book.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use maud::{Markup, html};
use mdbook_preprocessor::book::{Book, Chapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use workbook::commands::run_command;
use workbook::page::{Block, Problem, Shown, all_of};
use workbook::recording::Recording;
use workbook::timeline;
use workbook::workbook::Workbook;

use crate::glossary;
use crate::map::{self, Map};
use crate::pages::{self, minutes};
use crate::tables;

/// The preprocessor, under the name that it has in `book.toml`.
#[derive(Debug)]
pub struct Workshop;

impl Preprocessor for Workshop {
    fn name(&self) -> &str {
        "workbook"
    }

    /// Checks the whole workbook, then renders the promises and the recordings of each chapter, links
    /// the terms of the glossary and counts the minutes.
    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let root = context.root.parent().ok_or_else(|| anyhow!("book/ is not in a checkout"))?;
        let workbook = Workbook::load(root).map_err(all_of)?;
        let recordings = workbook.recordings().map_err(all_of)?;
        let mut problems = Vec::new();
        book.for_each_chapter_mut(|chapter| {
            problems.extend(render(chapter, &workbook, &recordings).err());
        });
        problems.extend(glossary::link(&mut book).err().unwrap_or_default());
        if !problems.is_empty() {
            return Err(all_of(problems));
        }
        let counts = pages::count(context, &book)?;
        let map = Map::of(&book, &workbook, &counts);
        let ways = ways(&book, &map)?;
        let map = map.markdown();
        book.for_each_chapter_mut(|chapter| {
            let path = chapter.source_path.as_deref();
            let page = path.and_then(|path| Some((workbook.page(path)?.0, counts.get(path)?)));
            if let Some((page, count)) = page
                && let Some(line) = &page.minutes
            {
                let to_do = line.says.map(|to_do| format!(", {} to do", minutes(to_do)));
                let told =
                    format!("*{} to read{}.*", minutes(count.minutes()), to_do.unwrap_or_default());
                chapter.content =
                    chapter.content.replacen(&page.text[line.range.clone()], &told, 1);
            }
            // After the glossary: whoever clicks a lesson's title does not want the meaning of a word.
            chapter.content = chapter.content.replace(map::DIRECTIVE, &map);
            for (line, way) in &ways {
                chapter.content = chapter.content.replace(line, way);
            }
        });
        Ok(book)
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(renderer == "html")
    }
}

/// The lines of all pages that a short way stands in for, and what that is.
fn ways(book: &Book, map: &Map<'_>) -> Result<Vec<(String, String)>> {
    let lines = book.chapters().flat_map(|chapter| chapter.content.lines());
    let lines = lines.filter(|line| line.starts_with(map::WAY));
    lines.map(|line| Ok((line.to_owned(), map.way(line)?))).collect()
}

/// Renders what the page was found to hold when the workbook was read.
fn render(
    chapter: &mut Chapter,
    workbook: &Workbook,
    recordings: &BTreeMap<String, Recording>,
) -> Result<(), Problem> {
    let Some(path) = &chapter.source_path else { return Ok(()) };
    let Some((page, owner)) = workbook.page(path) else { return Ok(()) };
    let mut rendered = Vec::new();
    // A page without programs has no blocks: that was checked.
    if let Some(owner) = owner {
        let promises = page.promises.iter();
        rendered.extend(promises.map(|one| (&one.range, tables::promise(owner, &one.says))));
        let exams = page.exams.iter();
        rendered.extend(exams.map(|one| (&one.range, tables::exam(owner, &one.says))));
        let measured = page.measured.iter();
        rendered.extend(measured.map(|one| (&one.range, tables::measured(owner, &one.says))));
        let outcomes = page.outcomes.iter();
        rendered.extend(outcomes.map(|one| (&one.range, tables::outcomes(owner, page, &one.says))));
    }
    for shown in &page.shown {
        rendered.push((&shown.range, recorded(shown, workbook, recordings)?));
    }
    // From the last to the first, so that the places of the earlier ones stay right.
    rendered.sort_by_key(|(range, _)| Reverse(range.start));
    chapter.content.clone_from(&page.text);
    for (range, markup) in rendered {
        chapter.content.replace_range(range.clone(), &(markup.into_string() + "\n"));
    }
    Ok(())
}

/// The pictures and transcripts of the recordings that a line shows.
fn recorded(
    shown: &Block<Shown>,
    workbook: &Workbook,
    recordings: &BTreeMap<String, Recording>,
) -> Result<Markup, Problem> {
    let recorded = shown.says.scenarios.iter().map(|name| {
        let (chapter, scenario) = workbook.scenario(name)?;
        Some(timeline::Drawn {
            scenario: name,
            command: html! { code { (run_command(chapter, &scenario.says)) } },
            recording: recordings.get(name)?,
            run: None,
        })
    });
    let recorded: Option<Vec<_>> = recorded.collect();
    let recorded = recorded.ok_or_else(|| {
        Problem::at(&shown.place, "no lesson's chapter shows a recording of this name")
    })?;
    Ok(match (shown.says.lines, &recorded[..]) {
        (Some(lines), [one]) => timeline::log(one.recording, lines),
        _ => timeline::figure(&recorded),
    })
}
