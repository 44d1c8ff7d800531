//! Builds the small programs, and the tracer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use workbook::programs::{self as built, on_path};
use workbook::promise::{Language, Profile};
use workbook::twins::Toolchain;
use workbook::workbook::Workbook;

/// Where the sources are.
static SOURCES: LazyLock<PathBuf> =
    LazyLock::new(|| Workbook::home().join("tests/named/trace/programs"));

/// Where the programs are.
static BUILT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("trace"));

/// The tracer.
pub static TRACER: LazyLock<String> = LazyLock::new(|| {
    let programs = built::build(&Workbook::home(), ["own-program"], Profile::Dev).expect("cargo");
    text(&programs["when-main-returns"])
});

/// The interpreter itself, and not a script that looks for it.
pub static PYTHON: LazyLock<String> =
    LazyLock::new(|| text(&Toolchain::find(Language::Python).expect("python3").path));

/// A source, as the interpreter of its language is given it.
pub fn source(name: &str) -> String {
    text(&SOURCES.join(name))
}

/// A program that was built, or the directory of classes.
pub fn program(name: &str) -> String {
    text(&BUILT.join(name))
}

/// Builds what the installed compilers can build and is not built yet.
pub fn build() {
    LazyLock::force(&TRACER);
    fs::create_dir_all(&*BUILT).expect("a directory");
    for name in ["fault", "daemon", "many", "joins", "replaced", "main_exits", "counts", "writes"] {
        let file = format!("{name}.c");
        let arguments = ["-O1", "-pthread", "-o", &program(name), &source(&file)];
        make("cc", &file, name, &arguments);
    }
    let arguments = ["-static", "-o", &program("static"), &source("joins.c")];
    make("musl-gcc", "joins.c", "static", &arguments);
    for name in ["Hook", "Hang"] {
        let (file, class) = (format!("{name}.java"), format!("{name}.class"));
        make("javac", &file, &class, &["-d", &program(""), &source(&file)]);
    }
    let arguments = ["-C", &source("server"), "build", "-o", &program("serve"), "."];
    make("go", "server/server.go", "serve", &arguments);
}

fn make(compiler: &str, from: &str, to: &str, arguments: &[&str]) {
    let changed = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    if on_path(compiler).is_none() || changed(&program(to)) > changed(&source(from)) {
        return;
    }
    let mut command = Command::new(compiler);
    // `go -C` came later than Debian's Go.
    match arguments {
        ["-C", directory, arguments @ ..] => command.current_dir(directory).args(arguments),
        arguments => command.args(arguments),
    };
    let status = command.status().expect(compiler);
    assert!(status.success(), "{compiler} {from}: {status}");
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
