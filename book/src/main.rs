//! `cargo run`: builds the book, serves it and says where.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use clap::{Parser, Subcommand};
use mdbook_driver::MDBook;
use mdbook_html::HtmlHandlebars;
use mdbook_preprocessor::{Preprocessor, parse_input};
use mdbook_renderer::{RenderContext, Renderer};
use own_program::exam;
use own_program::trace::{self, Environment};
use tracing::Level;
use workbook::page::all_of;
use workbook::programs;
use workbook::recording::Recording;
use workbook::run::{
    all_is_over, end_runs_with_this_process, end_with_this_process, inside, temporary_directory,
};
use workbook::workbook::{CHAPTERS, Chapter, Workbook};
use workshop::live;
use workshop::live::door::Door;
use workshop::pages::{self, Length};
use workshop::place::Place;
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
    /// Another name under which a browser reaches this machine, as through a forwarded port: NAME or
    /// NAME:PORT
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Write the book and do not serve it
    Build {
        /// Where to; without it target/book
        #[arg(long, value_name = "DIRECTORY")]
        dest: Option<PathBuf>,
    },
    /// Run lessons, a tracer beside each, and store what happened, for the book's pictures
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
    /// Run your own program, in any language, and tell how it and its threads ended
    Trace(trace::Arguments),
    /// Hold your own service, in any language, against trials at the end of its process
    Exam(exam::Arguments),
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
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if env::args().nth(1).is_some_and(|word| word == "trace") => {
            return trace::refused(&error);
        }
        Err(error) if env::args().nth(1).is_some_and(|word| word == "exam") => {
            return exam::refused(&error);
        }
        Err(error) => error.exit(),
    };
    // What mdBook warns of (a file that cannot be included) is for whoever writes a chapter.
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .without_time()
        .init();
    let result = match arguments.command {
        None => show(arguments.port, arguments.host, arguments.open),
        Some(Command::Build { dest }) => build(dest).map(|_| ExitCode::SUCCESS),
        Some(Command::Record { lessons }) => record(&lessons),
        Some(Command::Pages) => pages(),
        Some(Command::Promises { places }) => promises(places),
        Some(Command::Trace(arguments)) => Ok(trace::trace(arguments, Environment::BeforeCargo)),
        Some(Command::Exam(arguments)) => Ok(exam::exam(arguments, Environment::BeforeCargo)),
        Some(Command::Other(words)) => Err(no_command(&words)),
        Some(Command::Preprocess { question: None }) => preprocess(),
        Some(Command::Preprocess { question: Some(Question::Supports { renderer }) }) => {
            Workshop.supports_renderer(&renderer).map(|yes| ExitCode::from(u8::from(!yes)))
        }
    };
    result.unwrap_or_else(|error| {
        // Whoever reads has seen enough, as in `cargo run -- pages | head`.
        let cause = error.downcast_ref::<io::Error>();
        if cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        // There may be nobody to hear it.
        let _ = writeln!(io::stderr(), "{error:#}");
        ExitCode::FAILURE
    })
}

/// Prints a line; unlike `println!` it does not panic where that cannot be done.
fn print(line: impl Display) -> Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot print to standard output")
}

/// The workbook, and on standard error what is left out of it.
fn loaded() -> Result<Workbook> {
    let workbook = Workbook::load(&Workbook::home()).map_err(all_of)?;
    for notice in &workbook.notices {
        let _ = writeln!(io::stderr(), "{notice}");
    }
    Ok(workbook)
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

fn show(port: u16, host: Option<String>, open: bool) -> Result<ExitCode> {
    // Before the build, so that a taken port does not cost a wait.
    let listener = serve::bind(port)?;
    let own = listener.local_addr()?;
    let host = host.map(|name| match name.contains(':') {
        true => name,
        false => format!("{name}:{}", own.port()),
    });
    let door = Door::new([own.to_string()].into_iter().chain(host).collect())?;
    let address = door.address();
    let (directory, workbook) = build(None)?;
    let bench = live::Bench::new(workbook, door);
    serve::serve(listener, &directory, &bench, || {
        print(format_args!("the book is open at {address} (Ctrl-C ends it)"))?;
        if open && open_in_a_browser(&address).is_err() {
            let line = "no browser could be opened; open the address above yourself";
            let _ = writeln!(io::stderr(), "{line}");
        }
        Ok(())
    })?;
    // Else the guardian ends the build that is still under way.
    if bench.is_idle() {
        all_is_over();
    }
    Ok(ExitCode::SUCCESS)
}

/// By way of a file that only its owner can read: the arguments of a browser are there for all to see. The
/// browser reads it some time after this has returned, and it goes with this process.
fn open_in_a_browser(address: &str) -> Result<()> {
    end_runs_with_this_process(None)?;
    let page = format!("<!DOCTYPE html><meta http-equiv=\"refresh\" content=\"0; url={address}\">");
    let directory = temporary_directory()?.keep();
    let mut file = tempfile::Builder::new().suffix(".html").tempfile_in(directory)?;
    file.write_all(page.as_bytes())?;
    let (_, path) = file.keep()?;
    open::that_detached(path)?;
    Ok(())
}

/// Builds the book, says how long it took, and gives the directory that holds it, and the workbook.
fn build(dest: Option<PathBuf>) -> Result<(PathBuf, Workbook)> {
    let start = Instant::now();
    let workbook = loaded()?;
    let mut book = MDBook::load(workbook.root.join("book"))?;
    let dest = dest.unwrap_or_else(|| beside_the_programs(&book));
    let dest = path::absolute(&dest).context("a directory without a name")?;
    for own in ["book", "lessons", "tests"] {
        let is_there = dest.ancestors().find_map(|part| part.canonicalize().ok());
        ensure!(
            !is_there.is_some_and(|part| part.starts_with(workbook.root.join(own))),
            "{} is among the files that the book is made of; choose another directory",
            dest.display()
        );
    }
    let cargos = workbook.root.join("target/book").canonicalize();
    let is_ours = cargos.is_ok_and(|cargos| dest.canonicalize().is_ok_and(|dest| dest == cargos));
    let place = Place::take(dest, is_ours)?;
    let beside = place.beside()?;
    let (new, shown) = (beside.path().join("new"), beside.path().join("shown"));
    for path in &workbook.shown {
        let to = shown.join(path);
        fs::create_dir_all(to.parent().unwrap_or(&shown))?;
        fs::copy(workbook.root.join(CHAPTERS).join(path), to)?;
    }
    fs::create_dir_all(&shown)?;
    book.config.build.build_dir = new.clone();
    // In place of the command in book.toml, which would start this program a second time.
    book.with_preprocessor(Workshop);
    book.with_renderer(Beside(shown));
    book.build()?;
    place.fill(&new)?;
    let took = start.elapsed().as_secs_f64();
    print(format_args!("built {} in {took:.1} s", place.path().display()))?;
    Ok((place.path().to_owned(), workbook))
}

/// mdBook's own renderer, which copies into the book all that stands beside the chapters. To it, they
/// stand in a directory that has just what one of them shows.
struct Beside(PathBuf);

impl Renderer for Beside {
    fn name(&self) -> &str {
        "html"
    }

    fn render(&self, context: &RenderContext) -> Result<()> {
        let mut context = context.clone();
        context.config.book.src = self.0.clone();
        HtmlHandlebars::new().render(&context)
    }
}

/// Where the book goes if nobody says it: to book.toml's directory, or into the target directory that
/// cargo was given in place of the checkout's own, which then may not even be one to write into.
fn beside_the_programs(book: &MDBook) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target");
    let own = own.canonicalize().unwrap_or(own);
    let configured = book.build_dir_for("html");
    let program = env::current_exe().unwrap_or_default();
    match program.ancestors().nth(2) {
        Some(target)
            if configured == book.root.join("../target/book") && !target.starts_with(own) =>
        {
            target.join("book")
        }
        _ => configured,
    }
}

/// Records each scenario that a chapter of these lessons shows, one after the other: the recorder
/// wants a quiet machine.
fn record(names: &[String]) -> Result<ExitCode> {
    let workbook = loaded()?;
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
        print(format_args!("recorded {}", Recording::path(name).display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line a page: what is in sight, what is folded, and how long it takes.
fn pages() -> Result<ExitCode> {
    let workbook = loaded()?;
    let heads = ["prose", "tabled", "folded", "code", "tables", "minutes", "promises"];
    let heads = heads.map(|head| format!("{head:>9}")).concat();
    print(format_args!("{:<32}{heads}", "page"))?;
    for (path, count) in pages::count_all(&workbook.root)? {
        let promises = workbook.page(&path).map_or(0, |(page, _)| page.promises.len());
        let minutes = count.minutes() as usize;
        let Length { prose, tabled, folded, code, tables, .. } = count;
        let figures = [prose, tabled, folded, code, tables, minutes, promises];
        let figures = figures.map(|figure| format!("{figure:>9}")).concat();
        print(format_args!("{:<32}{figures}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn promises(places: bool) -> Result<ExitCode> {
    let workbook = loaded()?;
    for (line, place) in workbook.promises() {
        if places {
            print(format_args!("{place}: {line}"))?;
        } else {
            print(line)?;
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
