//! What is told of a run: a screenful for whoever ran it, and JSON for programs. [`crate::page`] is the
//! third way.
//!
//! What the program named or printed does nothing to a terminal or a page: [`words::plain`] spells it
//! out. Nothing here holds the program's environment or what is in its files.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use workbook::tracer::call::{Call, Doing, Left};
use workbook::tracer::{Child, Printed, Sight, Wait};

use self::rows::{MOST_ALONE, Row};
use self::words::{count, cut, plain, seconds, wrapped};

pub mod jvm;
pub mod lesson;
pub mod look;
pub mod rows;
#[cfg(test)]
pub mod samples;
pub mod words;

/// The version of the JSON: another one if a field is renamed or goes, not if one is added.
pub const VERSION: u32 = 1;

/// A screen has so many lines of so many columns.
pub const LINES: usize = 24;
/// The columns of a screen.
pub const COLUMNS: usize = 100;

/// The columns beside the labels.
const TEXT: usize = COLUMNS - 10;

/// A longer line of the program's is cut in page and JSON.
pub const LONGEST_LINE: usize = 500;
/// Only the last of more lines are told in page and JSON.
pub const MOST_LINES: usize = 200;
/// Only the longest of more waits are told in page and JSON.
pub const MOST_WAITS: usize = 200;

/// What every run leaves in the dark.
pub const BUFFERS: &str = "what was still in the program's own buffers cannot be seen";

/// A run that is to be told.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run, with what is left out of it already gone.
    pub sight: Sight,
    /// How many arguments and printed lines are left out, if the reader wanted that.
    pub left_out: Option<(usize, usize)>,
}

/// What the JSON file holds.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    /// Whether the arguments and the printed lines are missing.
    left_out: bool,
    #[serde(flatten)]
    sight: &'a Sight,
}

impl Report {
    /// Takes a run, and whether its arguments and printed lines are to be left out.
    pub fn new(mut sight: Sight, private: bool) -> Self {
        let arguments = sight.command.len().saturating_sub(1);
        let left_out = private.then_some((arguments, sight.printed.len()));
        if private {
            sight.command.truncate(1);
            sight.printed.clear();
            sight.alarm = None;
            for child in sight.children.iter_mut().chain(&mut sight.worker) {
                child.command.clone_from(&child.name);
            }
        }
        sight.printed.drain(..sight.printed.len().saturating_sub(MOST_LINES));
        for printed in sight.printed.iter_mut().chain(&mut sight.alarm) {
            if let Some((end, _)) = printed.line.char_indices().nth(LONGEST_LINE) {
                printed.line.truncate(end);
                printed.line += "… and more";
            }
        }
        sight.waits = longest(&sight.waits, MOST_WAITS);
        for file in &mut sight.files {
            file.path = PathBuf::from(text(file.path.as_os_str()));
        }
        Self { sight, left_out }
    }

    /// The report for a terminal: lines of at most [`COLUMNS`], and hardly more of them than [`LINES`].
    pub fn screen(&self) -> String {
        let sight = &self.sight;
        let names = rows::names(sight);
        let mut sections = vec![
            Section::of("command", vec![self.command()], 1),
            Section::of("ended", vec![words::end(sight, &names)], 1),
            Section::of("threads", Vec::new(), 0),
            Section::of("", rows::unawaited(sight, &names).into_iter().collect(), 1),
            Section::of("waits", self.waits(&names, 4), 4),
            Section::of("signals", all_wrapped(&words::signals(sight, &names)), 4),
            Section::of("printed", self.printed(3), 4),
            Section::of("files", self.files(), 5),
            Section::of("lives on", self.children(), 3),
            Section::of("done by", all_wrapped(&self.worker()), 2),
            Section::of("unseen", all_wrapped(&self.unseen()), 4),
        ];
        let (lesson, seen) = lesson::worst(sight);
        let read = format!("{}, \"{}\": {seen}", lesson.page, lesson.title);
        sections.push(Section::of("read", wrapped(&read, TEXT), 2));
        let used = |sections: &[Section]| sections.iter().map(Section::height).sum::<usize>();
        let room = |sections: &[Section]| LINES.saturating_sub(used(sections));
        let mut rows = rows::alone(sight, &names);
        if rows.len() > MOST_ALONE || rows.len() > room(&sections) {
            rows = rows::grouped(sight, &names);
        }
        if rows.len() > room(&sections) {
            // Nothing but the threads keeps more than a line or two.
            sections[4] = Section::of("waits", self.waits(&names, 2), 2);
            let printed = if self.sight.alarm.is_some() { 1 } else { 2 };
            sections[6] = Section::of("printed", self.printed(printed), 2);
            for section in &mut sections {
                section.most = section.most.min(if section.label == "files" { 3 } else { 2 });
            }
        }
        let most = room(&sections).max(6);
        sections[2] = Section::of("threads", lines(&rows, most), most);
        sections.iter().flat_map(Section::lines).map(|line| cut(&line, COLUMNS) + "\n").collect()
    }

    /// The report for programs: one object, in one line. It is told whole but for the bounds above.
    pub fn json(&self) -> String {
        let json = Json { version: VERSION, left_out: self.left_out.is_some(), sight: &self.sight };
        let json = serde_json::to_string(&json).expect("text, numbers and lists of them");
        spelled_out(&json) + "\n"
    }

    /// The command as the reader typed it, more or less.
    pub fn command(&self) -> String {
        typed(&self.sight.command, self.left_out.map(|(arguments, _)| arguments))
    }

    /// The longest waits in so many lines, of which the last is for the others.
    fn waits(&self, names: &[String], most: usize) -> Vec<String> {
        let all = &self.sight.waits;
        let shown = longest(all, if all.len() > most { most - 1 } else { most });
        let mut lines: Vec<_> =
            shown.iter().map(|one| format!("{} {}", names[0], wait(one, names))).collect();
        if shown.len() < all.len() {
            let length = |waits: &[Wait]| waits.iter().map(|wait| wait.to - wait.from).sum::<f64>();
            let rest = length(all) - length(&shown);
            let many = all.len() - shown.len();
            lines.push(format!("and {many} times more, {} in all", seconds(rest)));
        }
        lines
    }

    /// The first line that tells of a failure, if it is none of the last ones, and so many of these at most.
    fn printed(&self, most: usize) -> Vec<String> {
        if let Some((_, lines @ 1..)) = self.left_out {
            return vec![format!("{} at the end, left out", count(lines, "line"))];
        }
        let printed = &self.sight.printed;
        let last = &printed[printed.len().saturating_sub(most)..];
        let alarm = self.sight.alarm.iter().filter(|alarm| !last.contains(alarm));
        let line = |line: &Printed| {
            let stream = if line.stderr { " on stderr" } else { "" };
            let torn = if line.whole { "" } else { ", without a line feed" };
            format!("{}{stream}{torn}: {}", seconds(line.at), plain(&line.line))
        };
        alarm.chain(last).map(line).collect()
    }

    fn files(&self) -> Vec<String> {
        let files = self.sight.files.iter();
        files.map(|file| format!("{}: {}", shown_path(&file.path), lesson::left(file))).collect()
    }

    fn children(&self) -> Vec<String> {
        let children = self.sight.children.iter();
        children.map(|child| format!("process {}: {}", child.pid, plain(&child.command))).collect()
    }

    /// Where the work was done, and how to see it.
    pub fn worker(&self) -> Vec<String> {
        let worker = self.sight.worker.iter();
        let lives_on = |pid: u32| self.sight.children.iter().any(|child| child.pid == pid);
        let said = |child: &Child| {
            let who = format!("its child {} ({})", child.pid, plain(&child.name));
            match self.left_out {
                // Its command is the one that was traced.
                _ if child.forked && lives_on(child.pid) => {
                    format!("{who}, a fork; look at it: trace --pid {}", child.pid)
                }
                _ if child.forked => {
                    format!("{who}, a fork; while one like it runs: trace --pid N")
                }
                None => format!("{who}; trace that one: trace -- {}", plain(&child.command)),
                Some(_) => format!("{who}; trace its own command"),
            }
        };
        worker.map(said).collect()
    }

    /// What could not be seen.
    pub fn unseen(&self) -> Vec<String> {
        let limits = self.sight.limits.iter().map(|limit| plain(&limit.0));
        // Nobody can ask it any more; but perhaps the next time.
        let java = self.sight.stood.is_some() && rows::is_jvm(&self.sight);
        let java = java
            .then(|| "what its Java code waited for: `jstack PID` tells, while it runs".to_owned());
        limits.chain(java).chain([BUFFERS.to_owned()]).collect()
    }
}

/// A command as the reader typed it, more or less, and how many arguments of it are left out.
pub(crate) fn typed(command: &[String], left_out: Option<usize>) -> String {
    let words = command.iter().map(|word| {
        let word = plain(word);
        let is_one = !word.is_empty() && !word.contains([' ', '"', '\'', '$', '*', ';', '&', '|']);
        if is_one { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    let command = words.collect::<Vec<_>>().join(" ");
    match left_out {
        Some(arguments @ 1..) => format!("{command} ({} left out)", count(arguments, "argument")),
        _ => command,
    }
}

/// What `main` waited for, without its name.
pub fn wait(wait: &Wait, names: &[String]) -> String {
    let for_whom = match wait.joins.and_then(|index| names.get(index)) {
        Some(name) => format!("joining {name}"),
        None => match &wait.doing {
            // What was left of the time when it was looked at is over.
            Doing::Call(call) => {
                plain(&Doing::Call(Call { left: Left::Untold, ..call.clone() }).words())
            }
            doing => plain(&doing.words()),
        },
    };
    let (from, to) = (seconds(wait.from), seconds(wait.to));
    let several = if wait.several { ", in several calls" } else { "" };
    format!("{} {for_whom}{several}, from {from} to {to}", seconds(wait.to - wait.from))
}

/// The longest so many, in the order of time.
pub(crate) fn longest(waits: &[Wait], most: usize) -> Vec<Wait> {
    let mut order: Vec<usize> = (0..waits.len()).collect();
    let length = |index: &usize| waits[*index].to - waits[*index].from;
    order.sort_by(|one, other| length(other).total_cmp(&length(one)));
    order.truncate(most);
    order.sort_unstable();
    order.iter().map(|index| waits[*index].clone()).collect()
}

/// A label, and so many lines at most.
struct Section {
    label: &'static str,
    lines: Vec<String>,
    most: usize,
}

impl Section {
    fn of(label: &'static str, lines: Vec<String>, most: usize) -> Self {
        Self { label, lines, most }
    }

    fn height(&self) -> usize {
        self.lines.len().min(self.most)
    }

    fn lines(&self) -> Vec<String> {
        let more = self.lines.len().saturating_sub(self.most);
        let shown = match more {
            0 => self.lines.clone(),
            _ => {
                let mut shown = self.lines[..self.most - 1].to_vec();
                shown.push(format!("and {} more, in --html and --json", more + 1));
                shown
            }
        };
        let label = |index: usize| if index == 0 { self.label } else { "" };
        let lines = shown.iter().enumerate();
        lines.map(|(index, line)| format!("{:<9} {line}", label(index))).collect()
    }
}

/// Texts of which each may take several lines.
fn all_wrapped(texts: &[String]) -> Vec<String> {
    texts.iter().flat_map(|text| wrapped(text, TEXT)).collect()
}

/// The rows in two columns; what is too wide goes on in the next line, unless that makes too many.
fn lines(rows: &[Row], most: usize) -> Vec<String> {
    let name = |row: &Row| cut(&row.name, 28);
    let width = rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0);
    let line = |name: &str, said: &str| format!("{name:<width$}  {said}");
    let long = rows.iter().flat_map(|row| {
        let said = wrapped(&row.said(), TEXT - width - 2);
        let name = name(row);
        said.into_iter().enumerate().map(move |(index, said)| {
            let name = if index == 0 { &*name } else { "" };
            format!("{name:<width$}  {said}")
        })
    });
    let long: Vec<_> = long.collect();
    match long.len() {
        all if all <= most => long,
        _ => rows.iter().map(|row| line(&name(row), &row.said())).collect(),
    }
}

/// A long path is known by its end.
fn shown_path(path: &Path) -> String {
    let path = plain(&path.to_string_lossy());
    match path.char_indices().rev().nth(44) {
        Some((from, _)) if from > 0 => format!("…{}", &path[from..]),
        _ => path,
    }
}

/// A name as text, with bytes that are none spelled out.
fn text(name: &OsStr) -> String {
    let chunks = name.as_bytes().utf8_chunks();
    chunks
        .map(|chunk| {
            let bytes = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            chunk.valid().to_owned() + &bytes.collect::<String>()
        })
        .collect()
}

/// JSON without a character that a terminal would obey or hide; there are none outside its strings.
pub(crate) fn spelled_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii_graphic()
            || letter == ' '
            || plain(letter.encode_utf8(&mut [0; 4])).len() == letter.len_utf8()
        {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                out += &format!("\\u{unit:04x}");
            }
        }
    }
    out
}

/// Whether a page or JSON can be written to a path, tried without leaving anything there.
///
/// # Errors
///
/// Why not, in one line.
pub fn writable(option: &str, path: &Path) -> Result<(), String> {
    let shown = plain(&text(path.as_os_str()));
    let no = |why: &str| Err(format!("{option} {shown}: {why}"));
    if path.as_os_str().is_empty() {
        return Err(format!("{option}: the name of a file is missing"));
    }
    let tried = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return no("this is a directory"),
        // Opened for writing, a pipe waits for a reader.
        Ok(found) if found.file_type().is_fifo() => Ok(()),
        Ok(_) => OpenOptions::new().write(true).open(path).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.file_name() {
            _ if fs::symlink_metadata(path).is_ok() => return no("this link leads nowhere"),
            None => return no("this names no file"),
            Some(_) => match beside(path) {
                directory if !directory.exists() => return no("there is no such directory"),
                // A file without a name: nothing is left even if this is the last that is done.
                directory => tempfile::tempfile_in(directory).map(drop),
            },
        },
        Err(error) => Err(error),
    };
    match tried {
        Ok(()) => Ok(()),
        Err(error) => no(&format!("it cannot be written: {error}")),
    }
}

/// Writes a page or JSON; a new file whole or not at all.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        // A pipe, a terminal or a link stays what it is.
        Ok(found) if !found.is_file() => {
            OpenOptions::new().write(true).truncate(true).open(path)?.write_all(text.as_bytes())
        }
        Ok(_) => fs::write(path, text),
        Err(_) => {
            // As open to others as any new file; the umask says how much.
            let mode = Permissions::from_mode(0o666);
            let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(beside(path))?;
            file.write_all(text.as_bytes())?;
            file.persist(path)?;
            Ok(())
        }
    }
}

fn beside(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use workbook::tracer::{Fate, Limit, Stood, Tail, Thread};

    use super::samples::{asleep, call, child, crawler, file, line, thread, wait};
    use super::*;

    /// The screen after a change.
    fn screen(change: impl FnOnce(&mut Sight)) -> String {
        let mut sight = crawler();
        change(&mut sight);
        Report::new(sight, false).screen()
    }

    #[test]
    fn a_run_is_told_on_a_screen() {
        let expected = r#"
command   python3 crawl.py --to output.txt
ended     after 3.52 s: exit code 0, by main
threads   main                ended the process
          writer              cut off, in `write` to output.txt
          heartbeat           cut off, asleep, 0.4 s to go
          thread 4 (python3)  ended by itself at 2.1 s; main was seen waiting for it
          nobody was seen waiting for writer and heartbeat
waits     main 1 s joining thread 4 (python3), from 1.1 s to 2.1 s
printed   3.5 s: all pages fetched
          3.51 s: <b>goodbye</b> \e]0;x\u{7}
files     output.txt: 4,210 bytes, no line feed at its end, open at the end
unseen    io_uring was in use: its calls cannot be seen
          what was still in the program's own buffers cannot be seen
read      08-truncated-write, "The file that stops in the middle": writer was cut off in `write` to
          output.txt
"#;
        assert_eq!(screen(|_| ()), expected.trim_start());
    }

    #[test]
    fn many_threads_are_grouped_and_the_most_telling_come_first() {
        let said = screen(|sight| {
            let pool = (0..40).map(|id| Thread {
                joined_by: (id < 30).then_some(0),
                ..thread(id, &format!("worker-{id}"), Fate::Ended(1.0 + f64::from(id)))
            });
            sight.threads.extend(pool);
            let cut = (0..3000).map(|id| thread(id, "python3", Fate::Cut(asleep(f64::from(id)))));
            sight.threads.extend(cut.map(|thread| Thread { named: false, ..thread }));
        });
        let threads: Vec<_> = said.lines().skip(2).take(8).map(|line| &line[10..]).collect();
        assert_eq!(
            threads,
            [
                "main                    ended the process",
                "writer                  cut off, in `write` to output.txt",
                "heartbeat               cut off, asleep, 0.4 s to go",
                "3000 threads (python3)  cut off, asleep",
                "thread 4 (python3)      ended by itself at 2.1 s; main was seen waiting for it",
                "40 threads worker-*     ended by themselves from 1 s to 40 s; main was seen waiting for 30",
                "                        of them",
                "nobody was seen waiting for 3012 of them",
            ],
            "{said}"
        );
    }

    #[test]
    fn whatever_there_is_to_tell_it_fits_a_screen() {
        let said = screen(|sight| {
            let long = "x".repeat(500);
            for number in 0..19_u32 {
                // No two names have the same letters.
                let name = char::from(b'a' + number as u8).to_string();
                sight.threads.push(thread(number, &name, Fate::Cut(call("write", Some(&long)))));
                sight.waits.push(wait(f64::from(number), f64::from(number) + 0.5, None));
                sight.printed.push(line(1.0, &format!("{number} 心{long}")));
                sight.files.push(file(&format!("{number}{long}"), 1, false, Tail::Whole));
                sight.children.push(child(number, &long));
                sight.limits.push(Limit(long.clone()));
            }
            sight.command.push(long);
        });
        assert!(said.lines().count() <= LINES, "{}: {said}", said.lines().count());
        assert!(said.lines().all(|line| line.chars().count() <= COLUMNS), "{said}");
        assert!(said.contains("\nprinted   1 s: 17 心"), "{said}");
        assert!(said.contains("          1 s: 18 心"), "{said}");
        assert!(said.contains("more, in --html and --json"), "{said}");
    }

    #[test]
    fn how_threads_stood_is_told_before_their_end() {
        let said = screen(|sight| {
            let threads = vec![(1, Doing::Computing), (2, asleep(1.0))];
            sight.stood = Some(Stood { at: 3.0, threads });
        });
        assert!(
            said.contains("at 3 s computing; then cut off, in `write` to output.txt\n"),
            "{said}"
        );
        assert!(said.contains("cut off, asleep, 0.4 s to go; so already at 3 s\n"), "{said}");
    }

    #[test]
    fn names_that_are_alike_are_told_apart() {
        let mut sight = crawler();
        for name in ["main", "writer"] {
            sight.threads.push(thread(9, name, Fate::Ending));
        }
        let names = rows::names(&sight);
        let expected = [
            "main",
            "writer, thread 2",
            "heartbeat",
            "thread 4 (python3)",
            "main, thread 5",
            "writer, thread 6",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_left_out_is_nowhere() {
        let mut sight = crawler();
        sight.children.push(child(9, "sidecar"));
        sight.worker = Some(child(8, "node"));
        let report = Report::new(sight, true);
        for told in [report.screen(), report.json()] {
            for secret in ["--to", "crawl.py", "fetched", "goodbye", "hunter2"] {
                assert!(!told.contains(secret), "{secret} in {told}");
            }
        }
        let said = report.screen();
        assert!(said.starts_with("command   python3 (3 arguments left out)\n"), "{said}");
        assert!(said.contains("\nprinted   2 lines at the end, left out\n"), "{said}");
    }

    #[test]
    fn json_is_told_whole_and_harmless() {
        let mut sight = crawler();
        sight.files[0].path = PathBuf::from(OsStr::from_bytes(b"a\xff\n"));
        sight.printed.push(line(1.0, "\u{9b}2J \u{202e} 心 \u{e0041}"));
        sight.ended = f64::NAN;
        let json = Report::new(sight, false).json();
        assert!(json.trim_end().chars().all(|letter| !letter.is_control()), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read["version"], 1);
        assert_eq!(read["left_out"], false);
        assert_eq!(read["command"][0], "python3");
        assert_eq!(read["files"][0]["path"], "a\\xff\n");
        assert_eq!(read["printed"][2]["line"], "\u{9b}2J \u{202e} 心 \u{e0041}");
        assert!(json.contains("\\u009b2J \\u202e 心 \\udb40\\udc41"), "{json}");
    }

    #[test]
    fn what_has_no_bound_gets_one() {
        let mut sight = crawler();
        sight.printed = (0..5000).map(|_| line(1.0, &"心".repeat(LONGEST_LINE + 5))).collect();
        sight.waits = (0..5000).map(|at| wait(f64::from(at), f64::from(at) + 0.1, None)).collect();
        let report = Report::new(sight, false);
        assert_eq!(report.sight.printed.len(), MOST_LINES);
        assert!(report.sight.printed[0].line.ends_with("心… and more"));
        assert_eq!(report.sight.waits.len(), MOST_WAITS);
    }

    #[test]
    fn what_cannot_be_written_is_told_before_the_start_and_nothing_is_left() {
        let scratch = tempfile::tempdir().expect("a directory");
        let place = |path: &str| scratch.path().join(path);
        symlink(place("nowhere/x"), place("link")).expect("a link");
        fs::write(place("old.html"), "old").expect("a file");
        let refused = |path: &Path| writable("--html", path).expect_err("a bad path");
        for (path, why) in [
            (place("."), "this is a directory"),
            (place("no/a.html"), "there is no such directory"),
            (place("link"), "this link leads nowhere"),
            (place("old.html/a"), "it cannot be written: Not a directory (os error 20)"),
            (place(&"x".repeat(300)), "it cannot be written: File name too long (os error 36)"),
        ] {
            assert_eq!(refused(&path), format!("--html {}: {why}", path.display()));
        }
        assert_eq!(refused(Path::new("")), "--html: the name of a file is missing");
        let error = refused(Path::new("no\n\u{1b}[2J/x"));
        assert_eq!(error, "--html no\\n\\e[2J/x: there is no such directory");
        for good in [place("new.html"), place("old.html"), PathBuf::from("/dev/null")] {
            writable("--html", &good).expect("a good path");
        }
        assert!(!place("new.html").exists());
        assert_eq!(fs::read_to_string(place("old.html")).expect("a file"), "old");
        write(&place("new.html"), "new").expect("a new file");
        write(&place("old.html"), "new").expect("an old file");
        for path in ["new.html", "old.html"] {
            assert_eq!(fs::read_to_string(place(path)).expect("a file"), "new");
        }
    }
}
