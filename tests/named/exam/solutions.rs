//! The four services that keep the contract, and the templates, in which just the orders are missing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libtest_mimic::{Failed, Trial};
use own_program::exam::trials;
use workbook::programs::{self, Programs};
use workbook::promise::{Language, Profile};
use workbook::twins::Toolchain;
use workbook::workbook::Workbook;

use crate::held::{Held, hold};
use crate::{Found, trial};

/// A program and its arguments.
pub type Service = Vec<OsString>;

/// Where the lesson is.
pub static LESSON: LazyLock<PathBuf> =
    LazyLock::new(|| Workbook::home().join("lessons/25-order-desk"));

/// The solution and the template in Rust.
static RUST: LazyLock<Programs> = LazyLock::new(|| {
    let mut command = programs::builder(&Workbook::home(), Profile::Dev);
    command.args(["--package", "order-desk", "--bins", "--examples"]);
    programs::built_by(&mut command).expect("cargo")
});

/// What runs the other languages, or why nothing does. Asked once, before the machine is busy.
static TOOLCHAINS: LazyLock<BTreeMap<Language, Result<Toolchain, String>>> = LazyLock::new(|| {
    Language::ALL.into_iter().map(|language| (language, Toolchain::find(language))).collect()
});

/// What starts a virtual machine with few threads, and has it leave no file in `/tmp` when it is killed.
/// With its other compiler one end as process 1, beside busy loops, once took more than a second.
const QUICK: [&str; 4] = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-cp"];

/// What a machine may not give the right to.
const RIGHTS: [&str; 2] = ["synced", "process-1"];

/// A language, what it needs, and what finds its solution and its template.
type Row = (&'static str, &'static [&'static str], fn(&str) -> Result<Service, Failed>);

pub fn tests() -> Vec<Trial> {
    let languages: [Row; 4] = [
        ("rust", &[], rust),
        ("python", &["python3"], |part| twin(Language::Python, part)),
        ("java", &["javac"], |part| twin(Language::Java, part)),
        ("go", &["go"], |part| twin(Language::Go, part)),
    ];
    let of = |(name, needs, service): Row| {
        let solution = move || passes_all(&hold([], &service("")?)?);
        let template = move || lacks_its_orders(&hold([], &service("templates")?)?);
        [
            trial(format!("solution::{name}"), needs, solution),
            trial(format!("template::{name}"), needs, template),
        ]
    };
    languages.into_iter().flat_map(of).collect()
}

/// Builds the Rust programs, and finds what runs the others.
pub fn build() {
    LazyLock::force(&RUST);
    LazyLock::force(&TOOLCHAINS);
}

fn rust(part: &str) -> Result<Service, Failed> {
    let solution = RUST.get("order-desk-solution").ok_or("the solution does not compile")?;
    // The template is no program of the lesson: cargo puts it among the examples.
    let template = solution.with_file_name("examples").join("order-desk-template");
    Ok(vec![if part.is_empty() { solution.into() } else { template.into() }])
}

fn toolchain(language: Language) -> Result<&'static Toolchain, Failed> {
    Ok(TOOLCHAINS[&language].as_ref()?)
}

/// What starts the program of another language that stands in this part of the lesson.
fn twin(language: Language, part: &str) -> Result<Service, Failed> {
    let source = LESSON.join(part).join(format!("order-desk{}", language.suffix()));
    let toolchain = toolchain(language)?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exam");
    let built = toolchain.build([&*source], &target)?;
    let place = built.get(&source).ok_or_else(|| format!("{} is not built", source.display()))?;
    Ok(match language {
        Language::Python => python(place)?,
        // As production starts it, with its compilers: the lessons' twins have none.
        Language::Java => {
            let options = QUICK.iter().map(OsString::from);
            let java = [toolchain.path.join("bin/java").into()].into_iter().chain(options);
            java.chain([place.into(), "OrderDesk".into()]).collect()
        }
        Language::Go => vec![place.into()],
    })
}

/// What starts a Python program.
pub fn python(source: &Path) -> Result<Service, Failed> {
    let python = &toolchain(Language::Python)?.path;
    Ok(vec![python.into(), "-I".into(), "-S".into(), source.into()])
}

/// It passes each trial that this machine has the right to.
fn passes_all(held: &Held) -> Result<Found, Failed> {
    let passes = held
        .outcomes
        .iter()
        .all(|one| one.passed() || RIGHTS.contains(&&*one.trial) && !one.failed());
    if passes && held.outcomes.len() == trials::ALL.len() && held.status.success() {
        Ok(Found::Right)
    } else {
        held.wrong("it does not pass")
    }
}

/// It listens and answers, and says that orders are yet to be written.
fn lacks_its_orders(held: &Held) -> Result<Found, Failed> {
    let because = held.outcomes.first().map_or("", |basics| basics.because());
    if because.starts_with("A new order got 501") && held.status.code() == Some(1) {
        Ok(Found::Right)
    } else {
        held.wrong("not just the orders are missing")
    }
}
