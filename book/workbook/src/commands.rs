//! What a reader types: the command of each program, of its check, and of the figures.

use crate::measured::{Measured, Source};
use crate::promise::{Language, Profile, Scenario};
use crate::workbook::Chapter;

/// What the reader types to have it checked.
pub fn check_command(chapter: &Chapter, scenario: &Scenario) -> String {
    let name = scenario.full_name(&chapter.name);
    match &scenario.feature {
        Some(feature) => {
            format!("cargo test --features self-check/{feature} {name}")
        }
        None => format!("cargo test {name}"),
    }
}

/// What the reader types to run it.
pub fn run_command(chapter: &Chapter, scenario: &Scenario) -> String {
    let program = match scenario.starter_breaks {
        Some(_) => chapter.exercise_program(),
        None => chapter.program(scenario).to_owned(),
    };
    if let Some(language) = scenario.language() {
        return twin_command(chapter, scenario, language);
    }
    let args = &scenario.runs[0].args;
    let profile = if scenario.profile == Profile::Abort { " --profile abort" } else { "" };
    let feature = scenario.feature.iter().map(|feature| format!(" --features {feature}"));
    let feature: String = feature.collect();
    let package = chapter.package_of(&program);
    format!("cargo run{profile} -p {package}{feature}{}", which(chapter, &program, args))
}

/// What the reader types to run the exercise of a lesson.
pub fn exercise_command(chapter: &Chapter) -> String {
    let program = chapter.exercise_program();
    format!("cargo run -p {}{}", chapter.name, which(chapter, &program, &[]))
}

/// What the reader types to run its twin in a language.
pub fn twin_command(chapter: &Chapter, scenario: &Scenario, language: Language) -> String {
    let program = chapter.program(scenario);
    let (source, args) = (chapter.twin(program, language), arguments(&scenario.runs[0].args));
    let source = source.display();
    match language {
        Language::Python => format!("python3 {source}{args}"),
        Language::Java => format!("java {source}{args}"),
        // `go run` passes neither a signal on nor the exit code back.
        Language::Go => format!("go build -o target/ {source} && target/{program}{args}"),
    }
}

/// What the reader types to get the figures.
pub fn measure_command(chapter: &Chapter, measured: &Measured) -> String {
    match &measured.source {
        Source::Program { program, args } => {
            format!("cargo run -p {}{}", chapter.package_of(program), which(chapter, program, args))
        }
        Source::Test(target) => format!("cargo test -p named --test {target}"),
    }
}

/// What the reader types to have the figures checked.
pub fn measure_check_command(chapter: &Chapter, measured: &Measured) -> String {
    match &measured.source {
        Source::Program { .. } => format!("cargo test -p named --test measured {}", chapter.name),
        Source::Test(target) => format!("cargo test -p named --test {target}"),
    }
}

/// The end of a `cargo run -p <package>`: which of its programs, and with which arguments.
fn which(chapter: &Chapter, program: &str, args: &[String]) -> String {
    let is_the_only_one = program == chapter.package_of(program);
    let bin = if is_the_only_one { String::new() } else { format!(" --bin {program}") };
    let dashes = if args.is_empty() { "" } else { " --" };
    format!("{bin}{dashes}{}", arguments(args))
}

/// The arguments as a shell wants them, each after a space.
pub fn arguments(args: &[String]) -> String {
    let quoted = |argument: &String| match shlex::try_quote(argument) {
        Ok(quoted) => format!(" {quoted}"),
        // Only a zero byte cannot be quoted, nor can it be an argument.
        Err(_) => format!(" {argument}"),
    };
    args.iter().map(quoted).collect()
}
