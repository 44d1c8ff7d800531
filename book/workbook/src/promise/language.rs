//! The languages beside Rust: a program may have a twin in each of them.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// A language of twins. What finds, builds and starts them is [`crate::twins`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Run by an interpreter.
    Python,
    /// Compiled for a virtual machine.
    Java,
    /// Compiled.
    Go,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Python, Self::Java, Self::Go];

    /// What a promise block calls it: the key of the oldest version, and where its tests' names begin.
    pub fn key(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Java => "java",
            Self::Go => "go",
        }
    }

    /// How the name of a program's file ends.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Python => ".py",
            Self::Java => ".java",
            Self::Go => ".go",
        }
    }

    /// The program's name without the suffix, and the language; of a Rust program there is none.
    pub fn of(program: &str) -> (&str, Option<Self>) {
        let stem =
            |language: Self| Some((program.strip_suffix(language.suffix())?, Some(language)));
        Self::ALL.into_iter().find_map(stem).unwrap_or((program, None))
    }
}

impl Display for Language {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "Python",
            Self::Java => "Java",
            Self::Go => "Go",
        })
    }
}

/// A version of a language, such as 3.6 or 17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, Option<u32>);

impl Display for Version {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.1.map_or(Ok(()), |minor| write!(f, ".{minor}"))
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `17` and `3.6`, also out of `3.6.15`, `17-ea` or `1.22rc1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |part: &str| part.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
        let (major, minor) = text.split_once('.').unwrap_or((text, ""));
        match digits(major) {
            Some(major) => Ok(Self(major, digits(minor))),
            None => Err(format!("`{text}` is not a version such as \"3.6\" or \"17\"")),
        }
    }
}
