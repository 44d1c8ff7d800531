//! How a promise block is written: its keys, and what they may hold.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::path::{Component, Path};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{
    Answer, Count, Ends, Exit, FilePromise, Language, LinePromise, Lines, Mistake, Pattern,
    Profile, Promise, Request, Run, Send, Stream, Version, When,
};

/// A block as it is written, and the next run in it, which has fewer keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) name: Option<String>,
    pub(super) program: Option<Spanned<String>>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    pub(super) profile: Profile,
    pub(super) feature: Option<String>,
    pub(super) needs: Option<String>,
    python: Option<Version>,
    java: Option<Version>,
    go: Option<Version>,
    pub(super) starter_breaks: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) twice: bool,
    pub(super) again: Option<Box<Keys>>,
    #[serde(default)]
    send: Vec<Spanned<SendKeys>>,
    #[serde(default)]
    request: Vec<Spanned<RequestKeys>>,
    ends: Ends,
    leaves: Option<usize>,
    exit: Option<i32>,
    signal: Option<SignalName>,
    #[serde(default)]
    stdout: Vec<Spanned<LineKeys>>,
    #[serde(default)]
    stderr: Vec<Spanned<LineKeys>>,
    #[serde(default)]
    file: Vec<Spanned<FileKeys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendKeys {
    signal: SignalName,
    at: Option<f64>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestKeys {
    get: Option<String>,
    post: Option<String>,
    at: Option<f64>,
    after: Option<String>,
    answer: Option<u16>,
    has: Option<String>,
    takes: Option<(f64, f64)>,
    #[serde(default)]
    cut: bool,
    #[serde(default)]
    refused: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineKeys {
    thread: Option<String>,
    says: Option<Vec<String>>,
    order: Option<Vec<String>>,
    has: Option<String>,
    times: Option<Count>,
    figure: Option<(f64, f64)>,
    absent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKeys {
    path: String,
    exists: Option<bool>,
    lines: Option<Count>,
    whole: Option<bool>,
    contents: Option<String>,
    has: Option<String>,
    times: Option<Count>,
    absent: Option<String>,
}

impl Keys {
    pub(super) fn is_more_than_a_run(&self) -> bool {
        self.name.is_some()
            || self.program.is_some()
            || self.profile != Profile::Dev
            || self.feature.is_some()
            || self.needs.is_some()
            || !self.twins().is_empty()
            || self.starter_breaks.is_some()
            || self.twice
    }

    pub(super) fn twins(&self) -> BTreeMap<Language, Version> {
        let version = |language| match language {
            Language::Python => self.python,
            Language::Java => self.java,
            Language::Go => self.go,
        };
        Language::ALL
            .into_iter()
            .filter_map(|language| Some((language, version(language)?)))
            .collect()
    }

    pub(super) fn into_run(self) -> Result<Run, Mistake> {
        let ends = self.ends;
        let exit = match (self.exit, self.signal) {
            (Some(_), Some(_)) => return Err("`exit` and `signal` exclude each other".into()),
            (Some(code), None) => Some(Exit::Code(code)),
            (None, Some(SignalName(signal))) => Some(Exit::Signal(signal as i32)),
            (None, None) => None,
        };
        match ends {
            Ends::Never if exit.is_some() => {
                return Err("a program that never ends has no `exit` and no `signal`".into());
            }
            Ends::At(_) if exit.is_none() => {
                return Err("how does it end? Add `exit = 0` or `signal = \"SIGTERM\"`".into());
            }
            _ => {}
        }
        if ends == Ends::Never && self.leaves.is_some() {
            return Err("only a program that ends can leave a process behind".into());
        }
        let mut promises = vec![Promise::Ends(ends)];
        promises.extend(exit.map(Promise::Exit));
        for (stream, entries) in [(Stream::Stdout, self.stdout), (Stream::Stderr, self.stderr)] {
            for keys in entries {
                promises.push(Promise::Lines(stream, at_span(keys, LineKeys::into_promise)?));
            }
        }
        for keys in self.file {
            promises.extend(at_span(keys, FileKeys::into_promises)?);
        }
        for (number, keys) in self.request.into_iter().enumerate() {
            let request = at_span(keys, |keys| keys.into_request(number))?;
            promises.push(Promise::Request(request));
        }
        promises.extend(self.leaves.map(Promise::Leaves));
        let send = self.send.into_iter().map(|keys| at_span(keys, SendKeys::into_send));
        Ok(Run { args: self.args, send: send.collect::<Result<_, _>>()?, ends, promises })
    }
}

impl SendKeys {
    fn into_send(self) -> Result<Send, Mistake> {
        let when = when(self.at, self.after);
        let when = when?.ok_or("a signal is sent either `at` a time or `after` a line")?;
        Ok(Send { signal: self.signal.0, when })
    }
}

impl RequestKeys {
    fn into_request(self, number: usize) -> Result<Request, Mistake> {
        let when = when(self.at, self.after)?;
        let when = when.ok_or("a request is made either `at` a time or `after` a line")?;
        let (posts, path) = match (self.get, self.post) {
            (Some(path), None) => (false, path),
            (None, Some(path)) => (true, path),
            _ => return Err("a request has a path, either to `get` or to `post`".into()),
        };
        if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("a path begins with `/` and has no white space".into());
        }
        if self.takes.is_some_and(|(least, most)| !(0.0 <= least && least < most)) {
            return Err("`takes` is a range of seconds such as [1, 2]".into());
        }
        let answer = match (self.answer, self.cut, self.refused) {
            (Some(status), false, false) => {
                Answer::Whole { status, has: self.has, takes: self.takes }
            }
            (None, true, false) if self.has.is_none() && self.takes.is_none() => Answer::Cut,
            (None, false, true) if self.has.is_none() && self.takes.is_none() => Answer::Refused,
            _ => {
                return Err("give one of `answer`, which may add `has` and `takes`, \
                            `cut = true` and `refused = true`"
                    .into());
            }
        };
        Ok(Request { number, posts, path, when, answer })
    }
}

/// The moment, if just one is given.
fn when(at: Option<f64>, after: Option<String>) -> Result<Option<When>, Mistake> {
    match (at, after) {
        (Some(at), None) => duration(at).map(|time| Some(When::At(time))),
        (None, Some(text)) => Ok(Some(When::After(text))),
        _ => Ok(None),
    }
}

impl LineKeys {
    fn into_promise(self) -> Result<LinePromise, Mistake> {
        let Self { thread, says, order, has, times, figure, absent } = self;
        if has.is_none() && (times.is_some() || figure.is_some()) {
            return Err("`times` and `figure` go with `has`".into());
        }
        if thread.as_ref().is_some_and(|name| name.contains(char::is_whitespace)) {
            return Err("a thread's name has no white space, or its log could not be read".into());
        }
        let texts = says.iter().chain(&order).flatten().chain(&has).chain(&absent);
        if texts.into_iter().any(|text| text.contains('\n')) {
            return Err("a line holds no line feed".into());
        }
        let what = match (says, order, has, absent) {
            (Some(lines), None, None, None) => Lines::Says(lines),
            (None, Some(lines), None, None) => Lines::Order(lines),
            (None, None, Some(text), None) => {
                Lines::Has(Pattern::new(&text, figure)?, times.unwrap_or(Count::ONCE_OR_MORE))
            }
            (None, None, None, Some(text)) => Lines::Absent(text),
            _ => return Err("give one of `says`, `order`, `has` and `absent`".into()),
        };
        Ok(LinePromise { thread, what })
    }
}

impl FileKeys {
    fn into_promises(self) -> Result<Vec<Promise>, Mistake> {
        let Self { path, exists, lines, whole, contents, has, times, absent } = self;
        if has.is_none() && times.is_some() {
            return Err("`times` goes with `has`".into());
        }
        let is_inside = |part| matches!(part, Component::Normal(_));
        if path.is_empty() || !Path::new(&path).components().all(is_inside) {
            return Err("a file is named relative to the program's own directory".into());
        }
        let promises: Vec<_> = [
            exists.map(FilePromise::Exists),
            lines.map(FilePromise::Lines),
            whole.map(FilePromise::Whole),
            contents.map(FilePromise::Contents),
            has.map(|text| FilePromise::Has(text, times.unwrap_or(Count::ONCE_OR_MORE))),
            absent.map(FilePromise::Absent),
        ]
        .into_iter()
        .flatten()
        .map(|what| Promise::File(path.clone(), what))
        .collect();
        if promises.is_empty() {
            return Err(format!("nothing is promised of `{path}`; add `exists = true`").into());
        }
        Ok(promises)
    }
}

/// Converts what stands in one place of the block, and tells that place if it is wrong.
pub(crate) fn at_span<T, U>(
    keys: Spanned<T>,
    convert: impl FnOnce(T) -> Result<U, Mistake>,
) -> Result<U, Mistake> {
    let span = keys.span();
    convert(keys.into_inner()).map_err(|mistake| Mistake { span: Some(span), ..mistake })
}

fn duration(seconds: f64) -> Result<Duration, Mistake> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time <= Duration::from_secs(600) => Ok(time),
        _ => Err(format!("{seconds} is not a number of seconds from 0 to 600").into()),
    }
}

/// Reads `4` or `[3, 5]`.
impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Exactly(usize),
            Range(usize, usize),
        }

        match Written::deserialize(deserializer) {
            Ok(Written::Exactly(count)) => Ok(Self { least: count, most: count }),
            Ok(Written::Range(least, most)) if least < most => Ok(Self { least, most }),
            _ => Err(de::Error::custom("expected a number, or a range such as [3, 5]")),
        }
    }
}

/// Reads a number of seconds, or `"never"`.
impl<'de> Deserialize<'de> for Ends {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EndsVisitor;

        impl Visitor<'_> for EndsVisitor {
            type Value = Ends;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds or \"never\"")
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Ends, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Ends, E> {
                duration(seconds).map(Ends::At).map_err(|mistake| E::custom(mistake.message))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Ends, E> {
                match word {
                    "never" => Ok(Ends::Never),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }

        deserializer.deserialize_any(EndsVisitor)
    }
}

/// Reads the name of a signal, such as `"SIGTERM"`.
pub(crate) struct SignalName(pub(crate) Signal);

impl<'de> Deserialize<'de> for SignalName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let signal = name.parse();
        signal.map(Self).map_err(|_| {
            de::Error::custom(format!("`{name}` is not the name of a signal such as \"SIGTERM\""))
        })
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
