//! `cargo run`: builds the book, serves it and says where.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use clap::{Parser, Subcommand};
use mdbook_driver::MDBook;
use mdbook_preprocessor::{Preprocessor, parse_input};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tracing::Level;
use workbook::page::all_of;
use workbook::programs;
use workbook::recording::Recording;
use workbook::run::{end_with_this_process, inside};
use workbook::workbook::{Chapter, Workbook};
use workshop::pages::{self, Length};
use workshop::preprocess::Workshop;
use workshop::serve;

/// When `main` Returns: builds the book, serves it on 127.0.0.1 and prints the address.
#[derive(Parser)]
#[command(bin_name = "cargo run --", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Open the book in a browser
    #[arg(long)]
    open: bool,
    /// Serve on this port; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
}

#[derive(Subcommand)]
enum Command {
    /// Write the book and do not serve it
    Build {
        /// Where to; without it target/book
        #[arg(long, value_name = "DIRECTORY")]
        dest: Option<PathBuf>,
    },
    /// Run lessons under strace and store what happened, for the book's pictures
    Record {
        /// Which lessons; without any, all of them
        lessons: Vec<String>,
    },
    /// Print what each page holds: words, tables, minutes, promises
    Pages,
    /// Print each promise block as one sorted line, for `diff`
    Promises {
        /// Say where each stands
        #[arg(long)]
        places: bool,
    },
    /// Speak mdBook's preprocessor protocol; book.toml calls it
    #[command(hide = true)]
    Preprocess {
        #[command(subcommand)]
        question: Option<Question>,
    },
    /// Anything else: perhaps the name of a lesson
    #[command(external_subcommand)]
    Other(Vec<String>),
}

#[derive(Subcommand)]
enum Question {
    /// Exit with 0 if pages for this renderer can be prepared
    Supports {
        /// A renderer of mdBook, such as html
        renderer: String,
    },
}

fn main() -> ExitCode {
    if let Some(code) = inside() {
        return code;
    }
    let arguments = Arguments::parse();
    // What mdBook warns of (a file that cannot be included) is for whoever writes a chapter.
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .without_time()
        .init();
    let result = match arguments.command {
        None => show(arguments.port, arguments.open),
        Some(Command::Build { dest }) => build(dest).map(|_| ExitCode::SUCCESS),
        Some(Command::Record { lessons }) => record(&lessons),
        Some(Command::Pages) => pages(),
        Some(Command::Promises { places }) => promises(places),
        Some(Command::Other(words)) => Err(no_command(&words)),
        Some(Command::Preprocess { question: None }) => preprocess(),
        Some(Command::Preprocess { question: Some(Question::Supports { renderer }) }) => {
            Workshop.supports_renderer(&renderer).map(|yes| ExitCode::from(u8::from(!yes)))
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

/// What to say to whoever forgot the `-p` of `cargo run -p heartbeat`.
fn no_command(words: &[String]) -> Error {
    let word = words.first().map_or("", String::as_str);
    match Workbook::load(&Workbook::home()) {
        Ok(workbook) if workbook.chapter(word).is_some() => {
            anyhow!("`{word}` is a lesson: `cargo run -p {word}` runs it")
        }
        _ => anyhow!("there is no command `{word}`; `cargo run -- --help` lists them"),
    }
}

fn show(port: u16, open: bool) -> Result<ExitCode> {
    // Before the build, so that a taken port does not cost a wait.
    let listener = serve::bind(port)?;
    let address = format!("http://{}/", listener.local_addr()?);
    let directory = build(None)?;
    serve::serve(listener, &directory, || {
        println!("the book is open at {address} (Ctrl-C ends it)");
        if open && open::that_detached(&address).is_err() {
            eprintln!("no browser could be opened; open the address above yourself");
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the book, says how long it took, and gives the directory that holds it.
///
/// It is built beside the directory, and then takes its place at once: somebody may be reading.
fn build(dest: Option<PathBuf>) -> Result<PathBuf> {
    let start = Instant::now();
    let mut book = MDBook::load(Workbook::home().join("book").canonicalize()?)?;
    let directory = match dest {
        Some(dest) => holds_no_more_than_a_book(absolute(&dest)?)?,
        None => absolute(&book.build_dir_for("html"))?,
    };
    let parent = directory.parent().context("a book has a directory of its own")?;
    let beside = tempfile::Builder::new()
        .prefix(".book-")
        // As any directory that is made, and not for its owner alone.
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(parent)?;
    book.config.build.build_dir = beside.path().join("new");
    // In place of the command in book.toml, which would start this program a second time.
    book.with_preprocessor(Workshop);
    book.build()?;
    exchange(&beside.path().join("new"), &directory)
        .with_context(|| format!("cannot write to {}", directory.display()))?;
    println!("built {} in {:.1} s", directory.display(), start.elapsed().as_secs_f64());
    Ok(directory)
}

/// Puts a directory in the place of another one, and that one in its place.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Some file systems cannot do it at once.
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::rename(old, new.with_extension("old"))?;
            fs::rename(new, old)
        }
        Err(error) => Err(error.into()),
    }
}

/// The directory in full, made if it is missing: mdBook reads a relative one against the book's own.
fn absolute(dest: &Path) -> Result<PathBuf> {
    fs::create_dir_all(dest).with_context(|| format!("cannot write to {}", dest.display()))?;
    Ok(dest.canonicalize()?)
}

/// The directory, whose contents are thrown away, unless they are anything but an earlier book.
fn holds_no_more_than_a_book(directory: PathBuf) -> Result<PathBuf> {
    let is_empty = fs::read_dir(&directory)?.next().is_none();
    ensure!(
        is_empty || directory.join(".nojekyll").exists(),
        "{} holds something that is not a book, and would be emptied; choose another directory",
        directory.display()
    );
    Ok(directory)
}

/// Records each scenario that a chapter of these lessons shows, one after the other: the recorder
/// wants a quiet machine.
fn record(names: &[String]) -> Result<ExitCode> {
    let workbook = Workbook::load(&Workbook::home()).map_err(all_of)?;
    let all = || workbook.chapters.iter().map(|chapter| chapter.name.as_str()).collect::<Vec<_>>();
    if let Some(unknown) = names.iter().find(|name| workbook.chapter(name).is_none()) {
        bail!("there is no lesson `{unknown}`; there are {}", all().join(", "));
    }
    Recording::can_be_made()?;
    end_with_this_process(None)?;
    let shown = workbook.chapters.iter().flat_map(Chapter::shown);
    let scenarios: BTreeSet<_> = shown.flat_map(|shown| &shown.says.scenarios).collect();
    for name in scenarios {
        let (chapter, scenario) = workbook.scenario(name).context("there is no such scenario")?;
        if !names.is_empty() && !names.contains(&chapter.name) {
            continue;
        }
        let scenario = &scenario.says;
        let package = chapter.package(scenario);
        let programs = programs::build(&workbook.root, [&*package], scenario.profile)?;
        let program = programs.get(chapter.program(scenario)).context("it does not compile")?;
        let recording = Recording::make(program, &scenario.runs[0])
            .with_context(|| format!("{name} is not recorded"))?;
        recording.store(&workbook.root, name)?;
        println!("recorded {}", Recording::path(name).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// A line a page: what is in sight, what is folded, and how long it takes.
fn pages() -> Result<ExitCode> {
    let workbook = Workbook::load(&Workbook::home()).map_err(all_of)?;
    let mut stdout = io::stdout().lock();
    let heads = ["prose", "tabled", "folded", "code", "tables", "minutes", "promises"];
    let heads = heads.map(|head| format!("{head:>9}")).concat();
    writeln!(stdout, "{:<32}{heads}", "page")?;
    for (path, count) in pages::count_all(&workbook.root)? {
        let promises = workbook.page(&path).map_or(0, |(page, _)| page.promises.len());
        let minutes = count.minutes() as usize;
        let Length { prose, tabled, folded, code, tables, .. } = count;
        let figures = [prose, tabled, folded, code, tables, minutes, promises];
        let figures = figures.map(|figure| format!("{figure:>9}")).concat();
        writeln!(stdout, "{:<32}{figures}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn promises(places: bool) -> Result<ExitCode> {
    let workbook = Workbook::load(&Workbook::home()).map_err(all_of)?;
    let mut stdout = io::stdout().lock();
    for (line, place) in workbook.promises() {
        if places {
            writeln!(stdout, "{place}: {line}")?;
        } else {
            writeln!(stdout, "{line}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn preprocess() -> Result<ExitCode> {
    let (context, book) = parse_input(io::stdin().lock())?;
    let book = Workshop.run(&context, book)?;
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &book)?;
    stdout.flush()?;
    Ok(ExitCode::SUCCESS)
}
