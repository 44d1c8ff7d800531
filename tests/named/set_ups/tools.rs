//! Files that editors, desktops and version control leave beside the reader's own, and the reader's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use named::desk::{Desk, answer};
use named::scratch::copy;
use named::self_check::self_check;
use tempfile::TempDir;
use walkdir::WalkDir;
use workbook::workbook::{Workbook, is_of_a_tool};

use super::own_book::{build_into, limited};
use super::{desk, has, target};

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tools::editor_files_are_seen_nowhere", editor_files),
        Trial::test("tools::a_note_is_told_and_stops_nothing", note),
        Trial::test("tools::a_chapter_without_a_lesson_says_what_to_do", no_lesson),
        Trial::test("tools::a_folder_of_notes_among_the_lessons_stops_nothing", folder),
        Trial::test("tools::a_checkout_in_a_folder_with_brackets_works", brackets),
    ]
}

/// Where the workbook looks.
const DIRECTORIES: [&str; 7] = [
    "book/chapters",
    "book/recordings",
    "book/theme",
    "lessons",
    "lessons/02-heartbeat",
    "lessons/02-heartbeat/src/bin",
    "lessons/04-scoped-workers/compile-fail",
];

const FILES: [&str; 22] = [
    ".02-heartbeat.md.swp",
    ".x.rs.swo",
    "02-heartbeat.md~",
    "heartbeat-exercise.rs~",
    "#02-heartbeat.md#",
    ".DS_Store",
    "._02-heartbeat.md",
    ".directory",
    ".x.md.kate-swp",
    "02-heartbeat.md.orig",
    "heartbeat.toml.rej",
    "02-heartbeat.bak",
    "written-join.stderr.bak",
    "Thumbs.db",
    "desktop.ini",
    "x.pyc",
    "4913",
    "02-heartbeat.sync-conflict-20260102-030405-ABCDEFG.md",
    "02-heartbeat (conflicted copy 2026-01-02).md",
    "02-heartbeat_LOCAL_4711.md",
    "02-heartbeat.md:Zone.Identifier",
    ".goutputstream-4711",
];

fn build(desk: &Desk) -> Command {
    let mut command = build_into(&desk.path("built"));
    command.env("CARGO_MANIFEST_DIR", desk.path("book"));
    command
}

fn succeeds((text, code): (String, Option<i32>)) -> Result<String, Failed> {
    if code == Some(0) { Ok(text) } else { Err(format!("exit code {code:?}: {text}").into()) }
}

fn editor_files() -> Result<(), Failed> {
    let desk = desk();
    for directory in DIRECTORIES {
        for file in FILES {
            fs::write(desk.path(directory).join(file), "not even a text\n")?;
        }
        for folder in [".obsidian", ".idea", ".vscode", "__pycache__", ".Trash-1000"] {
            fs::create_dir(desk.path(directory).join(folder))?;
            fs::write(desk.path(directory).join(folder).join("x.md"), "")?;
        }
        for link in [".#02-heartbeat.md", ".#heartbeat-exercise.rs"] {
            symlink("reader@machine.4711:1", desk.path(directory).join(link))?;
        }
    }
    let quiet = |text: &str| match text.contains("left out") {
        true => Err(Failed::from(text)),
        false => Ok(()),
    };
    quiet(&succeeds(desk.check(&["--exact", "heartbeat"]))?)?;
    quiet(&succeeds(desk.check(&["--exact", "compile-errors::scoped-workers"]))?)?;
    quiet(&succeeds(answer(&mut build(&desk)))?)?;
    let own = [".nojekyll", ".when-main-returns"];
    for entry in WalkDir::new(desk.path("built")).min_depth(1) {
        let entry = entry?;
        let name = entry.file_name();
        if is_of_a_tool(name) && !own.iter().any(|own| *own == name) {
            return Err(format!("{} is in the book", entry.path().display()).into());
        }
    }
    Ok(())
}

fn note() -> Result<(), Failed> {
    let desk = desk();
    let own = [
        "book/chapters/notes.md",
        "book/chapters/02-heartbeat (copy).md",
        "book/chapters/try.py",
        "book/recordings/mine.toml",
        "lessons/02-heartbeat/src/bin/try.rs",
        "lessons/02-heartbeat/try.py",
        "lessons/04-scoped-workers/compile-fail/try.rs",
    ];
    for path in own {
        fs::write(desk.path(path), "```promise\nno promise at all\n")?;
    }
    succeeds(answer(cargo(desk.root()).args(["new", "--quiet", "lessons/x"])))?;
    let told = |text: &str| {
        let mut own = own.iter().chain(&["lessons/x"]);
        own.try_for_each(|path| has(text, &format!("{path}: left out: ")))
    };
    told(&succeeds(desk.check(&["--exact", "heartbeat"]))?)?;
    told(&succeeds(answer(&mut build(&desk)))?)?;
    if desk.path("built/try.py").exists() || desk.path("built/notes.html").exists() {
        return Err("a note is in the book".into());
    }
    Ok(())
}

fn no_lesson() -> Result<(), Failed> {
    let desk = desk();
    fs::write(desk.path("book/chapters/25-mine.md"), "# Mine\n")?;
    for (text, code) in [desk.check(&["--exact", "heartbeat"]), answer(&mut build(&desk))] {
        has(&text, "25-mine.md: this chapter has no lesson; add the crate lessons/25-mine")?;
        if code != Some(1) {
            return Err(format!("exit code {code:?}").into());
        }
    }
    Ok(())
}

/// Cargo in a copy of the workbook.
fn cargo(root: &Path) -> Command {
    let mut command = limited(Path::new(env!("CARGO")));
    command.current_dir(root).env("CARGO_TARGET_DIR", target()).env_remove("CARGO_MANIFEST_DIR");
    command.env("CARGO_NET_OFFLINE", "true");
    command
}

fn folder() -> Result<(), Failed> {
    let desk = desk();
    for folder in ["notes", "25-notes", ".idea", "2026-01-02"] {
        fs::create_dir(desk.path("lessons").join(folder))?;
        fs::write(desk.path("lessons").join(folder).join("one.md"), "a note\n")?;
    }
    copy(&desk.path("lessons/02-heartbeat"), &desk.path("lessons/02-heartbeat-mine"));
    let text = succeeds(desk.check(&["--exact", "heartbeat"]))?;
    for folder in ["notes", "25-notes", "2026-01-02", "02-heartbeat-mine"] {
        has(&text, &format!("lessons/{folder}: left out: "))?;
    }
    Ok(())
}

fn brackets() -> Result<(), Failed> {
    let home = TempDir::new()?;
    let root = home.path().join("[x] of a reader");
    for part in ["Cargo.toml", "Cargo.lock", ".cargo", ".gitignore", "book", "lessons", "tests"] {
        copy(&Workbook::home().join(part), &root.join(part));
    }
    let arguments = ["run", "--quiet", "-p", "heartbeat"];
    has(&succeeds(answer(cargo(&root).args(arguments)))?, "beat 2")?;
    succeeds(answer(self_check(&root, &target()).args(["--exact", "heartbeat"])))?;
    let mut build = build_into(&root.join("built"));
    succeeds(answer(build.env("CARGO_MANIFEST_DIR", root.join("book"))))?;
    Ok(())
}
