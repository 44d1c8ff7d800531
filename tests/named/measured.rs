//! Runs what the chapters measured, and holds the figures to what they say holds on every machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use named::tools::loaded;
use workbook::measured::{Measured, Source};
use workbook::programs::{self, Programs};
use workbook::promise::Profile;

/// No measurement takes longer, also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    // One after another: they would measure each other.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let workbook = match loaded() {
        Ok(workbook) => workbook,
        Err(code) => return code,
    };
    let measuring = workbook.chapters.iter().flat_map(|chapter| {
        chapter.measured().filter_map(|block| match &block.says.source {
            Source::Program { program, .. } => Some(chapter.package_of(program)),
            Source::Test(_) => None,
        })
    });
    let packages: BTreeSet<_> = measuring.collect();
    let programs = if arguments.list || packages.is_empty() {
        Ok(Programs::new())
    } else {
        programs::build(&workbook.root, packages, Profile::Dev)
    };
    let programs = match programs {
        Ok(programs) => Arc::new(programs),
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for chapter in &workbook.chapters {
        for block in chapter.measured() {
            // Those of a test target are held by that target.
            let Source::Program { program, args } = block.says.source.clone() else { continue };
            let (block, programs) = (block.clone(), Arc::clone(&programs));
            let name = format!("{}::{}", chapter.name, block.says.name);
            trials.push(Trial::test(name, move || {
                let path = programs.get(&program).ok_or("it did not compile")?;
                measure(path, &args, &block.says)
                    .map_err(|error| Failed::from(format!("{}\n{error}", block.place)))
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a program, once or as often as the block says, and holds what comes of it against the figures.
fn measure(program: &Path, args: &[String], measured: &Measured) -> Result<(), String> {
    let Some(tally) = &measured.tally else {
        let output = output(program, args)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("it ended with {}\n{printed}{error}", output.status));
        }
        let wrong = measured.judge(&printed);
        return wrong.map_err(|wrong| format!("{}\nIt printed:\n{printed}", wrong.join("\n")));
    };
    let runs = (0..tally.runs).map(|_| Ok(output(program, args)?.status.into()));
    tally.judge(&runs.collect::<Result<Vec<_>, String>>()?).map_err(|wrong| wrong.join("\n"))
}

/// What a program prints, and how it ends, in a directory of its own.
fn output(program: &Path, args: &[String]) -> Result<Output, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(args).current_dir(&directory).env("RUST_BACKTRACE", "0");
    let mut command = assert_cmd::Command::from_std(command);
    command.timeout(DEADLINE).output().map_err(|error| format!("it cannot be run: {error}"))
}
