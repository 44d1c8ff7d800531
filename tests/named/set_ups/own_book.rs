//! The book's directory, and what is the reader's in it.

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use named::desk::answer;
use named::scratch::copy_of;
use named::tools::{ended_within, on_path};
use tempfile::TempDir;
use workbook::programs;
use workbook::promise::Profile;
use workbook::workbook::Workbook;

use super::has;

/// Longer than a book takes to be built beside all that else runs.
const LIMIT: Duration = Duration::from_secs(60);

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("own_book::a_pages_repository_is_not_emptied", pages_repository),
        Trial::test("own_book::a_file_beside_the_book_stays", file_beside),
        Trial::test("own_book::a_page_that_was_edited_is_not_overwritten", edited_page),
        Trial::test("own_book::no_book_is_built_among_its_sources", among_the_sources),
        Trial::test("own_book::two_builds_take_one_directory_in_turn", two_builds),
        Trial::test("own_book::a_read_only_checkout_builds_elsewhere", read_only),
        Trial::test("own_book::a_pipe_that_is_closed_ends_it_quietly", closed_pipe),
        Trial::test("own_book::a_full_disk_behind_standard_output_is_told", full_output),
    ]
}

/// The program that `cargo run` starts.
static BOOK: LazyLock<PathBuf> = LazyLock::new(|| {
    let programs = programs::build(&Workbook::home(), ["book"], Profile::Dev);
    programs.expect("cargo").remove("book").expect("the reader compiles")
});

/// A program that is ended if it does not end.
pub fn limited(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg(LIMIT.as_secs().to_string()).arg(program);
    command
}

/// Builds this workbook's book into a directory.
pub fn build_into(dest: &Path) -> Command {
    let mut command = limited(&BOOK);
    command.args(["build", "--dest"]).arg(dest);
    command
}

fn succeeds(command: &mut Command) -> Result<(), Failed> {
    match answer(command) {
        (_, Some(0)) => Ok(()),
        (text, code) => Err(format!("exit code {code:?}: {text}").into()),
    }
}

/// One line that says this, and exit code 1.
fn refuses(command: &mut Command, expected: &str) -> Result<(), Failed> {
    let (text, code) = answer(command);
    has(&text, expected)?;
    if code == Some(1) && text.lines().count() == 1 {
        Ok(())
    } else {
        Err(format!("exit code {code:?}: {text}").into())
    }
}

fn is(path: &Path, text: &str) -> Result<(), Failed> {
    match fs::read_to_string(path) {
        Ok(found) if found == text => Ok(()),
        found => Err(format!("{}: {found:?}", path.display()).into()),
    }
}

fn pages_repository() -> Result<(), Failed> {
    let home = TempDir::new()?;
    fs::create_dir(home.path().join(".git"))?;
    let own = [".nojekyll", ".git/HEAD", "CNAME", "index.html", "draft.md"];
    for file in own {
        fs::write(home.path().join(file), "mine")?;
    }
    refuses(&mut build_into(home.path()), "choose another directory")?;
    own.iter().try_for_each(|file| is(&home.path().join(file), "mine"))
}

fn file_beside() -> Result<(), Failed> {
    let home = TempDir::new()?;
    succeeds(&mut build_into(home.path()))?;
    fs::create_dir(home.path().join(".git"))?;
    let own = [".git/HEAD", "CNAME", "draft.md", "draft.html"];
    for file in own {
        fs::write(home.path().join(file), "mine")?;
    }
    fs::remove_file(home.path().join("index.html"))?;
    succeeds(&mut build_into(home.path()))?;
    own.iter().try_for_each(|file| is(&home.path().join(file), "mine"))?;
    has(&fs::read_to_string(home.path().join("index.html"))?, "<html")
}

fn edited_page() -> Result<(), Failed> {
    let home = TempDir::new()?;
    succeeds(&mut build_into(home.path()))?;
    fs::write(home.path().join("index.html"), "mine")?;
    refuses(&mut build_into(home.path()), "index.html is not as the last build left it")?;
    is(&home.path().join("index.html"), "mine")
}

fn among_the_sources() -> Result<(), Failed> {
    let copy = copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"]);
    let root = copy.path();
    let build = |dest: &Path| {
        let mut command = build_into(dest);
        command.env("CARGO_MANIFEST_DIR", root.join("book"));
        command
    };
    for dest in ["book/chapters", "book/chapters/new", "lessons/02-heartbeat", "book/chapters/a/b"]
    {
        refuses(&mut build(&root.join(dest)), "among the files that the book is made of")?;
    }
    refuses(&mut build(root), "choose another directory")?;
    refuses(&mut build(Path::new("/")), "choose another directory")?;
    let file = root.join("lessons/../file");
    fs::write(&file, "mine")?;
    refuses(&mut build(&file), "cannot write to")?;
    is(&file, "mine")?;
    if root.join("book/chapters/new").exists() || root.join("book/chapters/a").exists() {
        return Err("a directory is left".into());
    }
    Ok(())
}

fn two_builds() -> Result<(), Failed> {
    let home = TempDir::new()?;
    let quiet = || build_into(home.path()).stdout(Stdio::null()).spawn();
    let builds: Result<Vec<_>, _> = [quiet(), quiet()].into_iter().collect();
    for mut build in builds? {
        ends_well(&mut build)?;
    }
    let left = fs::read_dir(home.path())?.flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".book-")).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("left: {left:?}").into()) }
}

/// Waits for a process, and ends it where it does not by itself.
fn ends_well(process: &mut Child) -> Result<(), Failed> {
    match ended_within(process, LIMIT)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(status.to_string().into()),
        None => {
            process.kill()?;
            process.wait()?;
            Err("it did not end".into())
        }
    }
}

/// As cargo runs it where `CARGO_TARGET_DIR` or `build.target-dir` names another directory.
fn read_only() -> Result<(), Failed> {
    let copy = copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"]);
    let target = TempDir::new()?;
    let program = target.path().join("debug/book");
    fs::create_dir(target.path().join("debug"))?;
    fs::copy(&*BOOK, &program)?;
    for (path, mode) in [(target.path(), 0o777), (copy.path(), 0o555)] {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    let mut command = limited(&program);
    // To root all is writable.
    if fs::metadata("/proc/self")?.uid() == 0
        && let Some(setpriv) = on_path("setpriv")
    {
        command = limited(&setpriv);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    }
    command.arg("build").env("CARGO_MANIFEST_DIR", copy.path().join("book"));
    for _ in 0..2 {
        succeeds(&mut command)?;
    }
    fs::set_permissions(copy.path(), Permissions::from_mode(0o755))?;
    if copy.path().join("target").exists() {
        return Err("the book is in the checkout".into());
    }
    has(&fs::read_to_string(target.path().join("book/index.html"))?, "<html")
}

fn closed_pipe() -> Result<(), Failed> {
    let copy = copy_of(&["book", "lessons", "tests/named/depth", "tests/named/depth.toml"]);
    let arguments: [&[&str]; 4] = [&["pages"], &["promises"], &["build"], &["--port", "0"]];
    for arguments in arguments {
        let mut reader = Command::new(&*BOOK)
            .args(arguments)
            .env("CARGO_MANIFEST_DIR", copy.path().join("book"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        drop(reader.stdout.take());
        ends_well(&mut reader).map_err(|failed| format!("{arguments:?}: {failed:?}"))?;
        let mut said = String::new();
        reader.stderr.take().ok_or("no pipe")?.read_to_string(&mut said)?;
        if !said.is_empty() {
            return Err(format!("{arguments:?}: {said}").into());
        }
    }
    Ok(())
}

fn full_output() -> Result<(), Failed> {
    for arguments in [&["pages"][..], &["promises"]] {
        let full = File::options().write(true).open("/dev/full")?;
        let mut command = limited(&BOOK);
        let output = command.args(arguments).stdout(full).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        has(&said, "cannot print to standard output")?;
        if output.status.code() != Some(1) || said.lines().count() != 1 {
            return Err(format!("{arguments:?}: {}: {said}", output.status).into());
        }
    }
    Ok(())
}
