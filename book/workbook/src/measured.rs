//! Measured figures: what a chapter tells of a run, without promising it.
//!
//! A rate or a lag differs from machine to machine. It stands in a fenced `measured` block of TOML,
//! with where it comes from; what holds on every machine, its direction, is checked.

use serde::Deserialize;
use toml::Spanned;

use crate::promise::{Exit, Mistake, Pattern, SignalName, at_span, is_plain};

/// One `measured` block.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Tells the blocks of a chapter apart.
    pub name: String,
    /// What gives the figures.
    pub source: Source,
    /// Where it ran.
    pub machine: String,
    /// When it ran, as year, month and day.
    pub date: String,
    /// The figures, in the order of the rendered table.
    pub figures: Vec<Figure>,
    /// How many of many runs ended in which way, where that is what was measured.
    pub tally: Option<Tally>,
}

/// What was counted of many runs: how each of them ended.
#[derive(Clone, Debug)]
pub struct Tally {
    /// How many runs.
    pub runs: usize,
    /// The ways to end that are counted, in the order of the rendered table.
    pub ways: Vec<Way>,
}

/// A way to end.
#[derive(Clone, Debug)]
pub struct Way {
    /// With this exit code or by this signal.
    pub exit: Exit,
    /// How many runs did when it was measured.
    pub was: usize,
    /// Between which numbers that lies on every machine.
    pub holds: (usize, usize),
}

/// What gives the figures, as lines on stdout.
#[derive(Clone, Debug)]
pub enum Source {
    /// A program of the lesson, which ends by itself with exit code 0.
    Program {
        /// Its name.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// A test target of the self-check.
    Test(String),
}

/// A figure in a line that is printed.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The line, and between which numbers its figure lies on every machine.
    pub pattern: Pattern,
    /// What it was when it was measured.
    pub was: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: String,
    program: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    test: Option<String>,
    runs: Option<usize>,
    machine: String,
    date: String,
    #[serde(default)]
    figure: Vec<Spanned<FigureKeys>>,
    #[serde(default)]
    ended: Vec<Spanned<EndedKeys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndedKeys {
    exit: Option<i32>,
    signal: Option<SignalName>,
    was: usize,
    holds: (usize, usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureKeys {
    line: String,
    was: f64,
    holds: (f64, f64),
}

impl Measured {
    /// Reads one block.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: no TOML, an unknown key, a value of the wrong type, or keys
    /// that contradict one another.
    pub fn parse(toml: &str) -> Result<Self, Mistake> {
        let keys: Keys = toml::from_str(toml)?;
        let source = match (keys.program, keys.test) {
            (Some(program), None) => Source::Program { program, args: keys.args },
            (None, Some(test)) if keys.args.is_empty() => Source::Test(test),
            _ => return Err("a `program`, with `args`, or a `test` gives the figures".into()),
        };
        if !is_plain(&keys.name) {
            return Err("a `name` has small letters, digits and `-`".into());
        }
        let ways = keys.ended.into_iter().map(|keys| at_span(keys, EndedKeys::into_way));
        let ways = ways.collect::<Result<Vec<_>, _>>()?;
        let tally = match (keys.runs, &source) {
            (None, _) if ways.is_empty() => None,
            (Some(runs), Source::Program { .. })
                if runs > 0 && !ways.is_empty() && keys.figure.is_empty() =>
            {
                Some(Tally { runs, ways })
            }
            _ => {
                return Err("what counts how a `program` ends has `runs` and `[[ended]]`, and no \
                            `[[figure]]`"
                    .into());
            }
        };
        if keys.figure.is_empty() && tally.is_none() {
            return Err("nothing was measured; add a `[[figure]]`".into());
        }
        let figures = keys.figure.into_iter().map(|keys| at_span(keys, FigureKeys::into_figure));
        Ok(Self {
            name: keys.name,
            source,
            machine: keys.machine,
            date: keys.date,
            figures: figures.collect::<Result<_, _>>()?,
            tally,
        })
    }

    /// Holds what was printed against every figure.
    ///
    /// # Errors
    ///
    /// One sentence for each figure that is not as the chapter tells.
    pub fn judge(&self, printed: &str) -> Result<(), Vec<String>> {
        let wrong: Vec<_> =
            self.figures.iter().filter_map(|figure| figure.judge(printed).err()).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

impl Tally {
    /// Holds how runs ended against every way that is counted.
    ///
    /// # Errors
    ///
    /// One sentence for each way whose number is not as the chapter tells.
    pub fn judge(&self, found: &[Exit]) -> Result<(), Vec<String>> {
        let wrong = self.ways.iter().filter_map(|way| {
            let count = found.iter().filter(|exit| **exit == way.exit).count();
            let (least, most) = way.holds;
            (!(least..=most).contains(&count)).then(|| {
                format!(
                    "{} of {} runs {}, where the chapter has {}",
                    count,
                    found.len(),
                    way.words(),
                    way.range()
                )
            })
        });
        let wrong: Vec<_> = wrong.collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

impl Way {
    /// How a run ends so, as it follows the number of runs.
    pub fn words(&self) -> String {
        match self.exit {
            Exit::Code(_) => format!("exited with {}", self.exit),
            Exit::Signal(_) => format!("were ended by {}", self.exit),
        }
    }

    /// What holds on every machine, in words.
    pub fn range(&self) -> String {
        match self.holds {
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        }
    }
}

impl EndedKeys {
    fn into_way(self) -> Result<Way, Mistake> {
        let exit = match (self.exit, self.signal) {
            (Some(code), None) => Exit::Code(code),
            (None, Some(SignalName(signal))) => Exit::Signal(signal as i32),
            _ => return Err("a run has ended with an `exit` code or by a `signal`".into()),
        };
        let (least, most) = self.holds;
        if !(least..=most).contains(&self.was) {
            return Err(format!("it was {}, which is not what `holds` says", self.was).into());
        }
        Ok(Way { exit, was: self.was, holds: self.holds })
    }
}

impl FigureKeys {
    fn into_figure(self) -> Result<Figure, Mistake> {
        let (least, most) = self.holds;
        if !(least..=most).contains(&self.was) {
            return Err(format!("it was {}, which is not what `holds` says", self.was).into());
        }
        if self.line.matches("{}").count() != 1 {
            return Err("a `line` has one `{}`, where the figure stands".into());
        }
        Ok(Figure { pattern: Pattern::new(&self.line, Some(self.holds))?, was: self.was })
    }
}

impl Figure {
    /// What holds on every machine, in words.
    pub fn holds(&self) -> String {
        match self.pattern.range() {
            (least, most) if least == most => format!("{least}"),
            (least, f64::INFINITY) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        }
    }

    fn judge(&self, printed: &str) -> Result<(), String> {
        let line = self.pattern.filled("…");
        let whole = self.pattern.filled("{}");
        let lines = printed.lines().filter(|line| self.pattern.mask((*line).to_owned()) == whole);
        let found: Vec<f64> = lines.flat_map(|line| self.pattern.figures(line)).collect();
        let (least, most) = self.pattern.range();
        match found[..] {
            [figure] if (least..=most).contains(&figure) => Ok(()),
            [figure] => Err(format!("`{line}`: {figure}, where the chapter has {}", self.holds())),
            [] => Err(format!("`{line}` was not printed")),
            _ => Err(format!("`{line}` was printed {} times", found.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = r#"
        name = "torn"
        program = "cut-short-torn"
        args = ["100"]
        machine = "2 cores"
        date = "2026-11-23"
        [[figure]]
        line = "torn in {} of 100 runs"
        was = 6
        holds = [1, 100]
        [[figure]]
        line = "lag {} ms"
        was = 0.33
        holds = [0, inf]
    "#;

    fn mistake(toml: &str) -> String {
        Measured::parse(toml).map(drop).expect_err("a mistake").message
    }

    #[test]
    fn figures_are_held_to_their_direction() {
        let measured = Measured::parse(BLOCK).expect("a block");
        assert_eq!(measured.judge("torn in 9 of 100 runs\nlag 1.5 ms\n"), Ok(()));
        // Another line may hold the same words.
        let more = "it was torn in 9 of 100 runs\nlag 9 ms at most\n";
        let both = format!("{more}torn in 9 of 100 runs\nlag 1.5 ms\n");
        assert_eq!(measured.judge(&both), Ok(()));
        assert_eq!(
            measured.judge("torn in 0 of 100 runs\n"),
            Err(vec![
                "`torn in … of 100 runs`: 0, where the chapter has 1 to 100".to_owned(),
                "`lag … ms` was not printed".to_owned(),
            ])
        );
        assert_eq!(
            measured.judge("torn in 1 of 100 runs\nlag 1 ms\nlag 1 ms\n"),
            Err(vec!["`lag … ms` was printed 2 times".to_owned()])
        );
        assert_eq!(measured.figures[1].holds(), "0 or more");
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, message) in [
            (
                "program = \"cut-short-torn\"",
                "",
                "a `program`, with `args`, or a `test` gives the figures",
            ),
            ("program =", "test =", "a `program`, with `args`, or a `test` gives the figures"),
            ("was = 6", "was = 0", "it was 0, which is not what `holds` says"),
            ("{} of", "6 of", "a `line` has one `{}`, where the figure stands"),
            ("\"torn\"", "\"To rn\"", "a `name` has small letters, digits and `-`"),
        ] {
            assert_eq!(mistake(&BLOCK.replacen(from, to, 1)), message);
        }
        assert!(mistake(&BLOCK.replace("date", "day")).starts_with("unknown field `day`"));
    }

    const TALLY: &str = r#"
        name = "crash"
        program = "heartbeat-crash"
        runs = 3
        machine = "2 cores"
        date = "2026-11-29"
        [[ended]]
        signal = "SIGSEGV"
        was = 2
        holds = [1, 3]
        [[ended]]
        exit = 0
        was = 1
        holds = [0, 2]
    "#;

    #[test]
    fn runs_are_counted_by_how_they_ended() {
        let tally = Measured::parse(TALLY).expect("a block").tally.expect("ways to end");
        let (crash, good) = (Exit::Signal(11), Exit::Code(0));
        assert_eq!(tally.judge(&[crash, crash, good]), Ok(()));
        assert_eq!(tally.judge(&[crash, Exit::Code(3), Exit::Signal(6)]), Ok(()));
        assert_eq!(
            tally.judge(&[good, good, good]),
            Err(vec![
                "0 of 3 runs were ended by SIGSEGV, where the chapter has 1 to 3".to_owned(),
                "3 of 3 runs exited with code 0, where the chapter has 0 to 2".to_owned(),
            ])
        );
    }

    #[test]
    fn mistakes_in_counts_of_runs_are_named() {
        let both =
            "what counts how a `program` ends has `runs` and `[[ended]]`, and no `[[figure]]`";
        let figure = "[[figure]]\nline = \"{}\"\nwas = 1\nholds = [1, 1]\n[[ended]]";
        for (from, to, message) in [
            ("runs = 3", "", both),
            ("runs = 3", "runs = 0", both),
            ("program = \"heartbeat-crash\"", "test = \"scrape\"", both),
            ("[[ended]]", figure, both),
            ("exit = 0", "", "a run has ended with an `exit` code or by a `signal`"),
            ("was = 2", "was = 0", "it was 0, which is not what `holds` says"),
        ] {
            assert_eq!(mistake(&TALLY.replacen(from, to, 1)), message, "{to}");
        }
    }
}
