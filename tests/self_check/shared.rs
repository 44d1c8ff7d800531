//! What the tests of one run of the self-check have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use libtest_mimic::Failed;
use workbook::programs::{self, Programs};
use workbook::promise::Profile;
use workbook::recording::Recording;
use workbook::run::Gate;
use workbook::workbook::Workbook;

use crate::check::Check;
use crate::progress::Progress;
use crate::python::{self, OLDEST, Python};
use crate::select::Packages;

/// What the tests of one run of the self-check have in common.
pub struct Shared {
    /// Lets programs start.
    pub gate: Gate,
    programs: OnceLock<Result<BTreeMap<Profile, Programs>, String>>,
    python: OnceLock<Result<Python, String>>,
    /// What the book shows.
    pub recordings: BTreeMap<String, Recording>,
    /// What a program may leave.
    pub ignored: Ignored,
    /// For each lesson, what this run found of its exercise.
    pub exercises: Vec<OnceLock<Progress>>,
    /// How many scenarios were run once more, because the first run decided nothing.
    pub repeated: AtomicUsize,
}

/// The names in `.gitignore`: what a program may leave where the reader stands. A workbook that came
/// without that file is not held to it.
pub struct Ignored(Option<Vec<String>>);

impl Shared {
    /// What they have in common before anything is built.
    pub fn new(workbook: &Workbook, recordings: BTreeMap<String, Recording>) -> Self {
        Self {
            gate: Gate::new(),
            programs: OnceLock::new(),
            python: OnceLock::new(),
            recordings,
            ignored: Ignored::read(&workbook.root),
            exercises: workbook.chapters.iter().map(|_| OnceLock::new()).collect(),
            repeated: AtomicUsize::new(0),
        }
    }

    /// Builds what the selected tests need, before the first of them starts.
    pub fn build(&self, root: &Path, packages: &Packages) {
        self.programs.get_or_init(|| {
            let build = |(profile, packages): (&Profile, &BTreeSet<String>)| {
                let packages = packages.iter().map(String::as_str);
                let programs = programs::build(root, packages, *profile);
                programs.map(|programs| (*profile, programs)).map_err(|error| format!("{error:#}"))
            };
            packages.iter().map(build).collect()
        });
    }

    /// The interpreter, or why there is none.
    pub fn python(&self) -> Result<&Python, &str> {
        self.python.get_or_init(python::find).as_ref().map_err(String::as_str)
    }

    /// Why no twin is run, if none is.
    pub fn why_no_python(&self) -> Option<String> {
        match self.python() {
            Err(reason) => Some(reason.to_owned()),
            Ok(Python { executable, version }) if *version < OLDEST => {
                let executable = executable.display();
                Some(format!("{executable} is Python {version}, and they need {OLDEST}"))
            }
            Ok(_) => None,
        }
    }

    /// A program that was built, if it compiles.
    pub fn built(&self, profile: Profile, program: &str) -> Result<Option<&Path>, Failed> {
        match self.programs.get() {
            Some(Ok(built)) => {
                let programs = built.get(&profile);
                Ok(programs.and_then(|programs| programs.get(program)).map(PathBuf::as_path))
            }
            Some(Err(error)) => Err(error.into()),
            None => Err("nothing was built".into()),
        }
    }

    /// The program of a test.
    pub fn program(&self, check: &Check) -> Result<&Path, Failed> {
        let program = check.program();
        self.built(check.block.says.profile, &program)?.ok_or_else(|| {
            let source = check.chapter().source(&program);
            format!("{} did not compile; the compiler's message is above", source.display()).into()
        })
    }
}

impl Ignored {
    fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join(".gitignore")).ok();
        Self(text.map(|text| text.lines().map(str::to_owned).collect()))
    }

    /// Whether one of them is this. A name may end in `*`, for files that a library puts beside its own.
    pub fn covers(&self, name: &str) -> bool {
        let Some(names) = &self.0 else { return true };
        names.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == ignored,
        })
    }
}
