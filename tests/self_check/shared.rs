//! What the tests of one run of the self-check have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use libtest_mimic::Failed;
use workbook::exercise::{Ignored, Progress};
use workbook::programs::{self, Programs};
use workbook::promise::{Language, Profile, Version};
use workbook::recording::Recording;
use workbook::run::Gate;
use workbook::twins::{Toolchain, Twins};
use workbook::workbook::Workbook;

use crate::check::Check;
use crate::select::{Needs, Sources};

/// What the tests of one run of the self-check have in common.
pub struct Shared {
    /// Lets programs start.
    pub gate: Gate,
    programs: OnceLock<Result<BTreeMap<Profile, Programs>, String>>,
    twins: BTreeMap<Language, OnceLock<Result<Found, String>>>,
    /// What the book shows.
    pub recordings: BTreeMap<String, Recording>,
    /// What a program may leave.
    pub ignored: Ignored,
    /// For each lesson, what this run found of its exercise.
    pub exercises: Vec<OnceLock<Progress>>,
    /// How many tests are not over that share the machine with one another.
    others: Mutex<usize>,
    one_is_over: Condvar,
    /// Held by what runs alone.
    alone: Mutex<()>,
    /// How many scenarios were run once more, because the first run decided nothing.
    pub repeated: AtomicUsize,
}

/// What runs the twins of a language, and those of them that are built, or why none is.
struct Found {
    toolchain: Toolchain,
    twins: Result<Twins, String>,
}

/// Makes the command that starts a program.
pub type Starts<'a> = dyn Fn() -> Command + 'a;

impl Shared {
    /// What they have in common before anything is built.
    pub fn new(workbook: &Workbook, recordings: BTreeMap<String, Recording>) -> Self {
        Self {
            gate: Gate::new(),
            programs: OnceLock::new(),
            twins: Language::ALL.into_iter().map(|one| (one, OnceLock::new())).collect(),
            recordings,
            ignored: Ignored::read(&workbook.root),
            exercises: workbook.chapters.iter().map(|_| OnceLock::new()).collect(),
            others: Mutex::new(0),
            one_is_over: Condvar::new(),
            alone: Mutex::new(()),
            repeated: AtomicUsize::new(0),
        }
    }

    /// Announces a test that shares the machine with others; to be dropped when it is over.
    pub fn other(self: &Arc<Self>) -> Other {
        *locked(&self.others) += 1;
        Other(Arc::clone(self))
    }

    /// Waits until all others are over, and then for its turn.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        let others = self.one_is_over.wait_while(locked(&self.others), |others| *others > 0);
        drop(others.unwrap_or_else(PoisonError::into_inner));
        locked(&self.alone)
    }

    /// Builds what the selected tests need, before the first of them starts.
    pub fn build(&self, root: &Path, needs: &Needs) {
        self.programs.get_or_init(|| {
            let build = |(profile, packages): (&Profile, &BTreeSet<String>)| {
                let packages = packages.iter().map(String::as_str);
                let programs = programs::build(root, packages, *profile);
                programs.map(|programs| (*profile, programs)).map_err(|error| format!("{error:#}"))
            };
            needs.packages.iter().map(build).collect()
        });
    }

    /// Looks for a language, and builds those twins that it is new enough for.
    pub fn find(&self, language: Language, sources: &Sources) {
        self.twins[&language].get_or_init(|| {
            let toolchain = Toolchain::find(language)?;
            let fits =
                |(source, needed): (_, &Version)| (*needed <= toolchain.version).then_some(source);
            let sources = sources.iter().filter_map(fits).map(PathBuf::as_path);
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twins");
            let twins = toolchain.build(sources, &target);
            let why_not = |error| format!("the {language} twins cannot be built: {error}");
            Ok(Found { twins: twins.map_err(why_not), toolchain })
        });
    }

    fn found(&self, language: Language) -> Result<&Found, &str> {
        match self.twins[&language].get() {
            Some(found) => found.as_ref().map_err(String::as_str),
            None => Err("nobody has looked for it"),
        }
    }

    /// Why no twin is run that needs a version of a language, if none is.
    pub fn why_no_twin(&self, language: Language, needed: Version) -> Option<String> {
        match self.found(language) {
            Err(reason) => Some(reason.to_owned()),
            Ok(Found { toolchain: Toolchain { version, .. }, .. }) if *version < needed => {
                Some(format!("needs {language} {needed}, this is {version}"))
            }
            Ok(_) => None,
        }
    }

    /// The same of all twins of a language.
    pub fn why_no_twins(&self, language: Language, oldest: Version) -> Option<String> {
        match self.found(language) {
            Ok(Found { toolchain: Toolchain { path, version, .. }, .. }) if *version < oldest => {
                let path = path.display();
                Some(format!("{path} is {language} {version}, and they need {oldest}"))
            }
            _ => self.why_no_twin(language, oldest),
        }
    }

    /// The command that starts a twin.
    pub fn twin<'a>(
        &'a self,
        language: Language,
        source: &Path,
    ) -> Result<Box<Starts<'a>>, Failed> {
        let Found { toolchain, twins } = self.found(language)?;
        let built = twins.as_ref()?.get_key_value(source);
        let (source, place) = built.ok_or_else(|| did_not_compile(source))?;
        Ok(Box::new(|| toolchain.command(source, place)))
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
        self.built(check.block.says.profile, &program)?
            .ok_or_else(|| did_not_compile(&check.chapter().source(&program)).into())
    }
}

/// A test that is not over.
pub struct Other(Arc<Shared>);

impl Drop for Other {
    fn drop(&mut self) {
        *locked(&self.0.others) -= 1;
        self.0.one_is_over.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn did_not_compile(source: &Path) -> String {
    format!("{} did not compile; the compiler's message is above", source.display())
}
