//! Builds programs of the workspace and tells where they are.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Message, TargetKind};

use crate::promise::Profile;
use crate::run::ends_with_this_process;

/// The path of each program, by name.
pub type Programs = HashMap<String, PathBuf>;

/// The command of this name, if the system would find it.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Where the reader has set `panic = "abort"`, which changes what most lessons do: an environment
/// variable or a file of cargo's configuration.
pub fn sets_abort(root: &Path) -> Option<String> {
    if env::var("CARGO_PROFILE_DEV_PANIC").is_ok_and(|value| value == "abort") {
        return Some("CARGO_PROFILE_DEV_PANIC".to_owned());
    }
    configuration(root).find_map(|(file, config)| {
        let panic = config.get("profile")?.get("dev")?.get("panic")?;
        (panic.as_str()? == "abort").then(|| file.display().to_string())
    })
}

/// What has the compiler build with `panic=abort`, whatever the profile says: an environment variable
/// or a file of cargo's configuration.
pub fn forces_abort(root: &Path) -> Option<String> {
    let is_abort = |flags: &str| flags.contains("panic=abort");
    let variable = env::vars_os().find_map(|(name, value)| {
        let name = name.into_string().ok()?;
        (name.ends_with("RUSTFLAGS") && is_abort(value.to_str()?)).then_some(name)
    });
    variable.or_else(|| {
        configuration(root).find_map(|(file, config)| {
            let targets = config.get("target").and_then(toml::Value::as_table);
            let tables = config.get("build").into_iter();
            let mut tables = tables.chain(targets.into_iter().flat_map(toml::Table::values));
            let has_it = tables.any(|table| {
                table.get("rustflags").is_some_and(|flags| is_abort(&flags.to_string()))
            });
            has_it.then(|| file.display().to_string())
        })
    })
}

/// The files of cargo's configuration that hold for a directory.
fn configuration(root: &Path) -> impl Iterator<Item = (PathBuf, toml::Table)> {
    let own = env::var_os("CARGO_HOME").map(PathBuf::from);
    let own = own.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let above = root.ancestors().map(|directory| directory.join(".cargo"));
    let files =
        above.chain(own).flat_map(|cargo| ["config.toml", "config"].map(|name| cargo.join(name)));
    files.filter_map(|file| {
        let config = fs::read_to_string(&file).ok()?.parse().ok()?;
        Some((file, config))
    })
}

/// Builds all programs of some packages with one cargo call.
///
/// A package is `lesson`, or `lesson/feature` to have one of its features on.
///
/// Cargo's progress and the compiler's messages go to standard error. A program that does not
/// compile is missing from the result; the others are there.
///
/// # Errors
///
/// If cargo cannot be run, or fails before it compiles anything (a manifest that it cannot read,
/// an unknown package).
pub fn build<'a>(
    root: &Path,
    packages: impl IntoIterator<Item = &'a str>,
    profile: Profile,
) -> Result<Programs> {
    let mut command = builder(root, profile);
    for package in packages {
        match package.split_once('/') {
            Some((name, _)) => command.args(["--package", name, "--features", package]),
            None => command.args(["--package", package]),
        };
    }
    built_by(&mut command)
}

/// The command of such a build, for [`built_by`]; it has yet to be told what it builds.
pub fn builder(root: &Path, profile: Profile) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--keep-going", "--message-format=json-render-diagnostics"])
        .args(["--profile", profile.name()])
        // What a chapter says of a panic is not so with the `abort` that a reader may have set.
        .args(["--config", "profile.dev.panic=\"unwind\""]);
    command
}

/// Runs such a build.
///
/// # Errors
///
/// As [`build`].
pub fn built_by(command: &mut Command) -> Result<Programs> {
    Building::start(command)?.programs()
}

/// A build that is under way.
pub struct Building(Child);

impl Building {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// If cargo cannot be run.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = ends_with_this_process(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cargo cannot be run")?;
        Ok(Self(child))
    }

    /// The number of its process, which leads a group if the command says so.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end, and gives the programs that compile.
    ///
    /// # Errors
    ///
    /// As [`build`].
    pub fn programs(self) -> Result<Programs> {
        let Self(mut child) = self;
        let mut programs = Programs::new();
        let mut has_tried = false;
        if let Some(stdout) = child.stdout.take() {
            for message in Message::parse_stream(BufReader::new(stdout)) {
                match message.context("cannot read what cargo reports")? {
                    Message::CompilerArtifact(artifact) => {
                        let is_program = artifact.target.kind.contains(&TargetKind::Bin);
                        if let (true, Some(path)) = (is_program, artifact.executable) {
                            programs.insert(artifact.target.name, path.into());
                        }
                    }
                    Message::BuildFinished(_) => has_tried = true,
                    _ => {}
                }
            }
        }
        let status = child.wait().context("cargo cannot be waited for")?;
        ensure!(status.success() || has_tried, "cargo build failed ({status})");
        Ok(programs)
    }
}
