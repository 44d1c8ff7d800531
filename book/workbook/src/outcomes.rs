//! Outcome tables: several scenarios of a chapter side by side, and of each what was done and what
//! was not.
//!
//! A chapter holds one in a fenced `outcomes` block of TOML. Its author names rows and columns; what
//! stands in a cell is read from what the row's scenario promises, so that the scenario's own test
//! holds it. A scenario that leaves a cell open is refused.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use toml::Spanned;

use crate::promise::words::Words;
use crate::promise::{
    FilePromise, Language, LinePromise, Lines, Mistake, Promise, Scenario, Stream, at_span,
};

/// One `outcomes` block.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// What the table shows.
    pub caption: String,
    /// What stands above the first column.
    pub head: String,
    /// Whether it is about the Python twins.
    pub python: bool,
    /// The scenarios, one a row.
    pub rows: Vec<Row>,
    /// The questions, one a column.
    pub columns: Vec<Column>,
}

/// A scenario in the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its full name, such as `heartbeat::joined`.
    pub scenario: String,
    /// What the reader sees in its place. Code stands between backticks.
    pub title: String,
    /// Where it stands: lines from the block's fence.
    pub line: usize,
}

/// A text that is there after a run, or is not.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it stands for. Code stands between backticks.
    pub title: String,
    /// Where the text would be.
    pub medium: Medium,
    /// The text.
    pub text: String,
}

/// Where a program leaves text.
#[derive(Clone, Debug, PartialEq)]
pub enum Medium {
    /// In a line that it prints.
    Printed(Stream),
    /// In a line of a file.
    File(String),
}

/// As it stands before a text: "stderr has `…`".
impl Display for Medium {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Printed(stream) => write!(f, "{stream} has"),
            Self::File(path) => write!(f, "`{path}` has"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    caption: String,
    head: String,
    #[serde(default)]
    python: bool,
    row: Vec<Spanned<RowKeys>>,
    column: Vec<Spanned<ColumnKeys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowKeys {
    scenario: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnKeys {
    title: String,
    stdout: Option<String>,
    stderr: Option<String>,
    file: Option<String>,
    has: Option<String>,
}

impl Outcomes {
    /// Reads one block.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: no TOML, an unknown key, a value of the wrong type, or keys
    /// that contradict one another.
    pub fn parse(toml: &str) -> Result<Self, Mistake> {
        let keys: Keys = toml::from_str(toml)?;
        let rows = keys.row.into_iter().map(|row| {
            let line = 1 + toml[..row.span().start].matches('\n').count();
            let RowKeys { scenario, title } = row.into_inner();
            Row { scenario, title, line }
        });
        let columns = keys.column.into_iter().map(|keys| at_span(keys, ColumnKeys::into_column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if columns.is_empty() {
            return Err("nothing is asked; add a `[[column]]`".into());
        }
        Ok(Self {
            caption: keys.caption,
            head: keys.head,
            python: keys.python,
            rows: rows.collect(),
            columns,
        })
    }

    /// Whether a scenario is run in the language that the table is about.
    pub fn is_about(&self, scenario: &Scenario) -> bool {
        match self.python {
            true => scenario.twins.contains_key(&Language::Python),
            false => scenario.language().is_none(),
        }
    }
}

impl ColumnKeys {
    fn into_column(self) -> Result<Column, Mistake> {
        let (medium, text) = match (self.stdout, self.stderr, self.file, self.has) {
            (Some(text), None, None, None) => (Medium::Printed(Stream::Stdout), text),
            (None, Some(text), None, None) => (Medium::Printed(Stream::Stderr), text),
            (None, None, Some(path), Some(text)) => (Medium::File(path), text),
            _ => {
                return Err(
                    "a column has a text on `stdout` or `stderr`, or a `file` that `has` it".into(),
                );
            }
        };
        if text.is_empty() || text.contains('\n') {
            return Err("a column's text is part of a line, and not empty".into());
        }
        Ok(Column { title: self.title, medium, text })
    }
}

impl Column {
    /// Whether the text is there after each run of a scenario, if its promises decide that.
    pub fn answer(&self, scenario: &Scenario) -> Option<bool> {
        agreed(scenario.runs.iter().map(|run| self.promised(&run.promises)))
    }

    fn promised(&self, promises: &[Promise]) -> Option<bool> {
        promises.iter().find_map(|promise| match (promise, &self.medium) {
            (Promise::Lines(stream, lines), Medium::Printed(place)) if stream == place => {
                self.printed(lines)
            }
            (Promise::File(path, what), Medium::File(place)) if path == place => self.kept(what),
            _ => None,
        })
    }

    fn printed(&self, LinePromise { thread, what }: &LinePromise) -> Option<bool> {
        let is_among = |lines: &[String]| lines.iter().any(|line| line.contains(&self.text));
        match what {
            // What one thread does not say, another one may.
            Lines::Says(lines) if thread.is_none() => Some(is_among(lines)),
            Lines::Says(lines) | Lines::Order(lines) => is_among(lines).then_some(true),
            Lines::Has(pattern, count) => match pattern.plain() {
                Some(text) if count.least > 0 => text.contains(&self.text).then_some(true),
                Some(text) if count.most == 0 => self.is_ruled_out_by(text, thread.is_none()),
                _ => None,
            },
            Lines::Absent(text) => self.is_ruled_out_by(text, thread.is_none()),
        }
    }

    fn kept(&self, what: &FilePromise) -> Option<bool> {
        match what {
            FilePromise::Exists(false) => Some(false),
            FilePromise::Contents(contents) => {
                Some(contents.lines().any(|line| line.contains(&self.text)))
            }
            FilePromise::Has(text, count) if count.least > 0 => {
                text.contains(&self.text).then_some(true)
            }
            FilePromise::Has(text, count) if count.most == 0 => self.is_ruled_out_by(text, true),
            FilePromise::Absent(text) => self.is_ruled_out_by(text, true),
            _ => None,
        }
    }

    /// A text that holds one that is nowhere is nowhere itself.
    fn is_ruled_out_by(&self, absent: &str, everywhere: bool) -> Option<bool> {
        (everywhere && self.text.contains(absent)).then_some(false)
    }
}

/// How a scenario ends, in the words of its promise: the first run's, if there are two.
pub fn ending(scenario: &Scenario) -> Words {
    let promises = &scenario.runs[0].promises;
    let exit = promises.iter().find(|promise| matches!(promise, Promise::Exit(_)));
    exit.map_or_else(|| Words::default().text("never ends"), Promise::words)
}

/// What all of them say, if it is the same.
fn agreed(mut answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let first = answers.next()??;
    answers.all(|answer| answer == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = r#"caption = "Two ways"
head = "way"

[[row]]
scenario = "beat::one"
title = "`one`"

[[column]]
title = "printed"
stdout = "beat 1"

[[column]]
title = "kept"
file = "out.txt"
has = "beat 1"
"#;

    /// What the two columns of the block read from a scenario.
    #[track_caller]
    fn answers(promises: &str) -> [Option<bool>; 2] {
        let outcomes = Outcomes::parse(BLOCK).expect("a block");
        let scenario = Scenario::parse(&format!("ends = 1\nexit = 0\n{promises}"));
        let scenario = scenario.unwrap_or_else(|mistake| panic!("{mistake:?}"));
        [outcomes.columns[0].answer(&scenario), outcomes.columns[1].answer(&scenario)]
    }

    #[test]
    fn a_block_is_read() {
        let outcomes = Outcomes::parse(BLOCK).expect("a block");
        assert_eq!(outcomes.rows[0].scenario, "beat::one");
        assert_eq!(outcomes.rows[0].line, 4);
        assert_eq!(outcomes.columns[0].medium, Medium::Printed(Stream::Stdout));
        assert_eq!(outcomes.columns[1].medium, Medium::File("out.txt".to_owned()));
    }

    #[test]
    fn what_a_block_lacks_or_has_too_much_is_refused_where_it_stands() {
        for (from, to, message, place) in [
            ("head = \"way\"", "haed = \"way\"", "unknown field `haed`", "haed"),
            ("title = \"`one`\"", "tilte = \"\"", "unknown field `tilte`", "tilte"),
            ("has = \"beat 1\"", "hsa = \"beat 1\"", "unknown field `hsa`", "hsa"),
            ("title = \"`one`\"", "title = 1", "invalid type", "1"),
            ("has = \"beat 1\"", "", "a column has a text", ""),
            ("stdout = \"beat 1\"", "stdout = \"a\"\nhas = \"b\"", "a column has a text", ""),
            ("stdout = \"beat 1\"", "stdout = \"\"", "a column's text is", ""),
            ("stdout = \"beat 1\"", "stdout = \"a\\nb\"", "a column's text is", ""),
            ("head = \"way\"", "", "missing field `head`", ""),
        ] {
            let toml = BLOCK.replacen(from, to, 1);
            let mistake = Outcomes::parse(&toml).expect_err(to);
            assert!(mistake.message.starts_with(message), "{to}: {}", mistake.message);
            if !place.is_empty() {
                assert_eq!(mistake.span.map(|span| &toml[span]), Some(place), "{to}");
            }
        }
    }

    #[test]
    fn a_cell_is_what_the_promises_say() {
        for (printed, answer) in [
            ("says = [\"beat 1\"]", Some(true)),
            ("says = [\"beat 2\"]", Some(false)),
            ("says = []", Some(false)),
            ("order = [\"a\", \"a beat 1 b\"]", Some(true)),
            ("has = \"beat 1\"", Some(true)),
            ("has = \"beat 1\"\ntimes = 0", Some(false)),
            ("has = \"beat\"\ntimes = 0", Some(false)),
            ("absent = \"beat 1\"", Some(false)),
            ("absent = \"beat\"", Some(false)),
            ("thread = \"main\"\nsays = [\"beat 1\"]", Some(true)),
            // None of these decides whether `beat 1` is there.
            ("order = [\"a\"]", None),
            ("has = \"beat\"", None),
            ("has = \"beat 1\"\ntimes = [0, 1]", None),
            ("has = \"beat {}\"\nfigure = [1, 2]", None),
            ("absent = \"beat 12\"", None),
            ("thread = \"main\"\nsays = [\"beat 2\"]", None),
            ("thread = \"main\"\nabsent = \"beat 1\"", None),
        ] {
            let [stdout, file] = answers(&format!("[[stdout]]\n{printed}"));
            assert_eq!((stdout, file), (answer, None), "{printed}");
            // What stands on the other stream is no answer.
            assert_eq!(answers(&format!("[[stderr]]\n{printed}")), [None, None], "{printed}");
        }
        for (kept, answer) in [
            ("contents = \"beat 1\\n\"", Some(true)),
            ("contents = \"\"", Some(false)),
            ("exists = false", Some(false)),
            ("has = \"beat 1\"", Some(true)),
            ("has = \"beat 1\"\ntimes = 0", Some(false)),
            ("absent = \"beat\"", Some(false)),
            ("exists = true", None),
            ("lines = 3", None),
            ("has = \"beat 1\"\ntimes = [0, 9]", None),
        ] {
            let file = |path| answers(&format!("[[file]]\npath = \"{path}\"\n{kept}"));
            assert_eq!(file("out.txt"), [None, answer], "{kept}");
            assert_eq!(file("other.txt"), [None, None], "{kept}");
        }
    }

    #[test]
    fn second_runs_have_to_agree() {
        let again = |text| {
            let first = "[[stdout]]\nsays = [\"beat 1\"]\n[again]\nends = 1\nexit = 0\n";
            answers(&format!("{first}[[again.stdout]]\nsays = [\"{text}\"]"))[0]
        };
        assert_eq!(again("beat 1"), Some(true));
        assert_eq!(again("beat 2"), None);
    }

    #[test]
    fn the_end_is_told_in_the_words_of_the_promise() {
        for (toml, words) in [
            ("ends = 1\nexit = 101", "exits with code 101"),
            ("ends = 1\nsignal = \"SIGTERM\"", "is ended by SIGTERM"),
            ("ends = \"never\"", "never ends"),
        ] {
            assert_eq!(ending(&Scenario::parse(toml).expect("a scenario")).to_string(), words);
        }
    }
}
