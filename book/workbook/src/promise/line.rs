//! A scenario as one line with every promised value in it, so that `diff` shows what an edit has lost or
//! weakened.

use std::fmt::{self, Display, Formatter};

use super::{
    Answer, Count, Ends, Exit, FilePromise, Lines, Pattern, Profile, Promise, Request, Run,
    Scenario, When,
};

/// A scenario of a lesson; of an exercise the line begins with the lesson's name and `exercise`.
pub struct Line<'a> {
    /// The lesson.
    pub lesson: &'a str,
    /// What it promises.
    pub scenario: &'a Scenario,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Scenario { program, profile, feature, needs, twins, starter_breaks, runs, .. } =
            self.scenario;
        f.write_str(&self.scenario.full_name(self.lesson))?;
        if let Some(breaks) = starter_breaks {
            let breaks: Vec<_> = breaks.iter().map(|id| id.get_ref()).collect();
            write!(f, " exercise starter_breaks={breaks:?}")?;
        }
        if let Some(program) = program {
            write!(f, " program={}", program.get_ref())?;
        }
        if *profile != Profile::Dev {
            write!(f, " profile={}", profile.name())?;
        }
        if let Some(feature) = feature {
            write!(f, " feature={feature}")?;
        }
        if let Some(needs) = needs {
            write!(f, " needs={needs}")?;
        }
        for (language, version) in twins {
            write!(f, " {}={version}", language.key())?;
        }
        runs.iter().try_for_each(|run| write!(f, " | {}", InLine(run)))
    }
}

/// Something as it stands in the line.
struct InLine<'a, T>(&'a T);

impl Display for InLine<'_, Run> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Run { args, send, promises, .. } = self.0;
        write!(f, "args={args:?}")?;
        for send in send {
            write!(f, "; sends {} {}", send.signal, InLine(&send.when))?;
        }
        promises.iter().try_for_each(|promise| write!(f, "; {}", InLine(promise)))
    }
}

impl Display for InLine<'_, Promise> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Promise::Ends(Ends::At(time)) => write!(f, "ends={}", time.as_secs_f64()),
            Promise::Ends(Ends::Never) => f.write_str("ends=never"),
            Promise::Exit(Exit::Code(code)) => write!(f, "exit={code}"),
            Promise::Exit(signal) => write!(f, "signal={signal}"),
            Promise::Leaves(count) => write!(f, "leaves={count}"),
            Promise::Lines(stream, lines) => {
                write!(f, "{stream}")?;
                if let Some(thread) = &lines.thread {
                    write!(f, " thread={thread:?}")?;
                }
                match &lines.what {
                    Lines::Says(lines) => write!(f, " says={lines:?}"),
                    Lines::Order(lines) => write!(f, " order={lines:?}"),
                    Lines::Has(pattern, count) => {
                        write!(f, " {} times={}", InLine(pattern), InLine(count))
                    }
                    Lines::Absent(text) => write!(f, " absent={text:?}"),
                }
            }
            Promise::File(path, what) => {
                write!(f, "file={path:?}")?;
                match what {
                    FilePromise::Exists(exists) => write!(f, " exists={exists}"),
                    FilePromise::Lines(count) => write!(f, " lines={}", InLine(count)),
                    FilePromise::Whole(whole) => write!(f, " whole={whole}"),
                    FilePromise::Contents(contents) => write!(f, " contents={contents:?}"),
                    FilePromise::Has(text, count) => {
                        write!(f, " has={text:?} times={}", InLine(count))
                    }
                    FilePromise::Absent(text) => write!(f, " absent={text:?}"),
                }
            }
            Promise::Request(request) => InLine(request).fmt(f),
        }
    }
}

impl Display for InLine<'_, Request> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, InLine(&self.0.when))?;
        match &self.0.answer {
            Answer::Cut => f.write_str(" cut"),
            Answer::Refused => f.write_str(" refused"),
            Answer::Whole { status, has, takes } => {
                write!(f, " answer={status}")?;
                if let Some(has) = has {
                    write!(f, " has={has:?}")?;
                }
                takes.map_or(Ok(()), |(least, most)| write!(f, " takes={least}..{most}"))
            }
        }
    }
}

impl Display for InLine<'_, When> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            When::At(time) => write!(f, "at={}", time.as_secs_f64()),
            When::After(text) => write!(f, "after={text:?}"),
        }
    }
}

impl Display for InLine<'_, Pattern> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "has={:?}", self.0.text)?;
        match &self.0.figure {
            Some(((least, most), _)) => write!(f, " figure={least}..{most}"),
            None => Ok(()),
        }
    }
}

impl Display for InLine<'_, Count> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Count { least, most: usize::MAX } => write!(f, "{least}.."),
            Count { least, most } => write!(f, "{least}..{most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promised_value_is_in_the_line() {
        let toml = r#"
            name = "all"
            program = "beat-all"
            args = ["a b"]
            profile = "abort"
            feature = "kafka"
            python = "3.6"
            java = "17"
            go = "1.19"
            ends = 3.5
            signal = "SIGTERM"
            leaves = 1
            send = [{ signal = "SIGINT", at = 1.5 }, { signal = "SIGTERM", after = "x" }]
            stdout = [
                { says = ["a"] },
                { thread = "main", order = ["a", "b"] },
                { has = "took {} s", figure = [1, 2.5], times = [1, 3] },
                { has = "beat" },
                { absent = "c" },
            ]
            [[file]]
            path = "o.txt"
            exists = true
            lines = 4
            whole = false
            contents = "a\n"
            has = "a"
            absent = "c"
            [[request]]
            get = "/"
            at = 0
            answer = 200
            has = "sold"
            takes = [1, 2]
            [[request]]
            post = "/"
            after = "y"
            cut = true
            [again]
            ends = "never"
        "#;
        let scenario = Scenario::parse(toml).unwrap_or_else(|mistake| panic!("{mistake:?}"));
        assert_eq!(
            Line { lesson: "beat", scenario: &scenario }.to_string(),
            "beat::all program=beat-all profile=abort feature=kafka python=3.6 java=17 \
             go=1.19 | args=[\"a b\"]; \
             sends SIGINT at=1.5; sends SIGTERM after=\"x\"; ends=3.5; signal=SIGTERM; \
             stdout says=[\"a\"]; stdout thread=\"main\" order=[\"a\", \"b\"]; \
             stdout has=\"took {} s\" figure=1..2.5 times=1..3; stdout has=\"beat\" times=1..; \
             stdout absent=\"c\"; file=\"o.txt\" exists=true; file=\"o.txt\" lines=4..4; \
             file=\"o.txt\" whole=false; file=\"o.txt\" contents=\"a\\n\"; \
             file=\"o.txt\" has=\"a\" times=1..; file=\"o.txt\" absent=\"c\"; \
             GET / at=0 answer=200 has=\"sold\" takes=1..2; POST / after=\"y\" cut; leaves=1 \
             | args=[]; ends=never"
        );
        let exercise = "starter_breaks = [\"ends\"]\nends = 1\nexit = 0";
        let exercise = Scenario::parse(exercise).unwrap_or_else(|mistake| panic!("{mistake:?}"));
        assert_eq!(
            Line { lesson: "beat", scenario: &exercise }.to_string(),
            "beat exercise starter_breaks=[\"ends\"] | args=[]; ends=1; exit=0"
        );
    }
}
