//! The self-check, run in a copy of the workbook.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use workbook::run::ends_with_this_process;
use workbook::workbook::Workbook;

/// The program that `cargo test` runs.
static SELF_CHECK: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = Command::new(env!("CARGO"))
        .args(["test", "--no-run", "--test", "self-check"])
        .current_dir(Workbook::home())
        .output()
        .expect("cargo runs");
    let stderr = String::from_utf8_lossy(&build.stderr);
    let path = stderr.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    Workbook::home().join(path.unwrap_or_else(|| panic!("no program in {stderr}")).0)
});

/// The process that ends what this one leaves. There is one: a second one would end the runs of the first
/// as soon as it is let go.
static GUARDIAN: LazyLock<Result<(), String>> = LazyLock::new(|| {
    workbook::run::end_with_this_process(Some(&SELF_CHECK)).map_err(|error| error.to_string())
});

/// Has what this process starts for a run, or by [`guarded`], end with it, however it ends.
pub fn end_with_this_process() -> Result<(), &'static str> {
    GUARDIAN.as_ref().copied().map_err(String::as_str)
}

/// A program, such as a server, that ends with this process, however it ends.
pub fn guarded(program: impl AsRef<OsStr>) -> Command {
    end_with_this_process().expect("a guardian");
    let mut command = Command::new(program);
    ends_with_this_process(&mut command);
    command
}

/// The self-check of the workbook in the directory `root`, which builds its programs in `target`.
pub fn self_check(root: &Path, target: &Path) -> Command {
    let mut command = Command::new(&*SELF_CHECK);
    command.env("CARGO_MANIFEST_DIR", root.join("tests")).env("CARGO_TARGET_DIR", target);
    command
}
