//! The exam as an exercise: no promise of one program, but trials that a service passes whatever it is
//! written in.
//!
//! A lesson's chapter holds it in a fenced `exam` block of TOML, in the place of the promises of another
//! lesson's exercise. Which trials there are, the exam itself knows.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use toml::Spanned;

use crate::promise::{Language, Mistake, Version};

/// One `exam` block: what the exercise, its solution, and the solutions in other languages are held to.
#[derive(Clone, Debug)]
pub struct Exam {
    /// The trials that the untouched starter passes; it fails the others, but for those that cannot be
    /// tried.
    pub starter_passes: Vec<String>,
    /// The languages in which there is a solution, each with the oldest version that it takes.
    pub solutions: BTreeMap<Language, Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    starter_passes: Spanned<Vec<String>>,
    python: Option<Version>,
    java: Option<Version>,
    go: Option<Version>,
}

impl Exam {
    /// Reads one block.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: no TOML, an unknown key, a value of the wrong type, no trial that is
    /// passed, or one that stands there twice.
    pub fn parse(toml: &str) -> Result<Self, Mistake> {
        let Keys { starter_passes, python, java, go } = toml::from_str(toml)?;
        let span = starter_passes.span();
        let starter_passes = starter_passes.into_inner();
        let mut sorted = starter_passes.clone();
        sorted.sort();
        sorted.dedup();
        if sorted.is_empty() || sorted.len() < starter_passes.len() {
            let message =
                "`starter_passes` names each trial that the untouched starter passes, once; there \
                           is one at least, or it is no service"
                    .to_owned();
            return Err(Mistake { message, span: Some(span) });
        }
        let solutions =
            [(Language::Python, python), (Language::Java, java), (Language::Go, go)].into_iter();
        let solutions = solutions.filter_map(|(language, version)| Some((language, version?)));
        Ok(Self { starter_passes, solutions: solutions.collect() })
    }
}

/// In one line, as `cargo run -- promises` prints it behind the lesson's name.
impl Display for Exam {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "exercise exam starter_passes={:?}", self.starter_passes)?;
        self.solutions
            .iter()
            .try_for_each(|(language, version)| write!(f, " {}={version}", language.key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(toml: &str) -> String {
        Exam::parse(toml).expect_err("this is to be refused").message
    }

    #[test]
    fn a_block_names_what_the_starter_passes() {
        let exam = Exam::parse("starter_passes = [\"basics\", \"killed\"]\npython = \"3.7\"");
        let exam = exam.expect("a whole block");
        assert_eq!(exam.starter_passes, ["basics", "killed"]);
        assert_eq!(exam.solutions.keys().collect::<Vec<_>>(), [&Language::Python]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert!(mistake("").starts_with("missing field"));
        assert!(mistake("starter_passes = []").contains("one at least"));
        assert!(mistake("starter_passes = [\"killed\", \"killed\"]").contains("once"));
        assert!(mistake("starter_passes = [\"killed\"]\nends = 1").starts_with("unknown field"));
    }
}
