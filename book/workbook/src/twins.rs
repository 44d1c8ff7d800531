//! Finds what runs the twins of a language, builds them and starts them.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::promise::{Language, Version};
use crate::run::ends_with_this_process;

/// How long a command may take to say which version it is.
const PATIENCE: Duration = Duration::from_secs(4);

/// An answer is shorter than this.
const LONGEST: u64 = 1 << 14;

/// What has a virtual machine start with few threads, and leave no file in `/tmp` when it is killed.
const QUICK: [&str; 2] = ["-XX:+UseSerialGC", "-XX:-UsePerfData"];

/// What runs the twins of a language.
#[derive(Clone, Debug)]
pub struct Toolchain {
    language: Language,
    /// Python's interpreter, or the directory of Java's or Go's installation.
    pub path: PathBuf,
    /// Which it is.
    pub version: Version,
}

/// The twins of a language that can be started: the source of each, and what is run.
pub type Twins = BTreeMap<PathBuf, PathBuf>;

impl Toolchain {
    /// Asks the language's command once for itself: a version manager's shim would cost 0.1 s at every
    /// start.
    ///
    /// # Errors
    ///
    /// Why there is none, in a few words.
    pub fn find(language: Language) -> Result<Self, String> {
        let (name, question): (_, &[_]) = match language {
            Language::Python => {
                let question =
                    "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
                ("python3", &["-I", "-S", "-c", question])
            }
            Language::Java => ("java", &["-XshowSettings:properties", "-version"]),
            Language::Go => ("go", &["env", "GOROOT", "GOVERSION"]),
        };
        let text = answer(bare(name, language).args(question), name, language == Language::Java)?;
        let lines: Vec<&str> = text.lines().collect();
        let property = |name: &str| lines.iter().find_map(|line| line.trim().strip_prefix(name));
        let found = match language {
            Language::Java => property("java.home = ").zip(property("java.version = ")),
            _ => <[&str; 2]>::try_from(lines.as_slice()).ok().map(Into::into),
        };
        let found = found.and_then(|(path, version)| {
            Some((path, version.strip_prefix("go").unwrap_or(version).parse().ok()?))
        });
        let (path, version) = found.ok_or_else(|| format!("{name} does not run, or is none"))?;
        let found = Self { language, path: path.into(), version };
        // A part of the installation may be a package of its own.
        let compiler = found.compiler();
        if !compiler.exists() {
            return Err(format!("there is no {}", compiler.display()));
        }
        Ok(found)
    }

    /// What is needed to build a twin.
    fn compiler(&self) -> PathBuf {
        match self.language {
            Language::Python => self.path.clone(),
            Language::Java => self.path.join("bin/javac"),
            Language::Go => self.path.join("bin/go"),
        }
    }

    /// Builds those twins that were not built before from the same source by the same version. One that does
    /// not compile is missing from the result, and the compiler's message is on standard error.
    ///
    /// # Errors
    ///
    /// If a source cannot be read, or nothing can be written into `target`, or the compiler cannot be run.
    pub fn build<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a Path>,
        target: &Path,
    ) -> io::Result<Twins> {
        let place = |source: &'a Path| Ok((source.to_owned(), self.place(source, target)?));
        let mut twins = sources.into_iter().map(place).collect::<io::Result<Twins>>()?;
        let mut missing = twins.clone();
        missing.retain(|_, place| !place.exists());
        if !missing.is_empty() {
            fs::create_dir_all(target)?;
        }
        // One start of Java's compiler costs more than all of its work.
        let at_once = self.language == Language::Java && missing.len() > 1;
        if !at_once || !self.compile(&missing, target, Stdio::null())? {
            for one in missing {
                self.compile(&Twins::from([one]), target, Stdio::inherit())?;
            }
        }
        twins.retain(|_, place| place.exists());
        Ok(twins)
    }

    /// Where a twin is built: what is there was built from this source, so nothing there is ever changed.
    fn place(&self, source: &Path, target: &Path) -> io::Result<PathBuf> {
        if self.language == Language::Python {
            return Ok(source.to_owned());
        }
        let mut hasher = DefaultHasher::new();
        (fs::read(source)?, &self.path, self.version.to_string()).hash(&mut hasher);
        Ok(target.join(format!("{}-{:016x}", stem(source), hasher.finish())))
    }

    /// Whether they compile.
    fn compile(&self, twins: &Twins, target: &Path, messages: Stdio) -> io::Result<bool> {
        // Beside their places, so that each gets there in one step.
        let directory = tempfile::tempdir_in(target)?;
        let mut command = bare(self.compiler(), self.language);
        match self.language {
            Language::Python => return Ok(true),
            Language::Java => {
                command
                    .arg("-J-XX:TieredStopAtLevel=1")
                    .args(QUICK.map(|option| format!("-J{option}")));
                // Text that is put together at run time takes 20 ms for the first, when the clock runs.
                command.args(["-XDstringConcat=inline", "-proc:none", "-encoding", "UTF-8", "-d"]);
            }
            Language::Go => {
                command.args(["build", "-o"]);
            }
        }
        command.arg(directory.path().join("")).args(twins.keys());
        let status = ends_with_this_process(&mut command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(messages)
            .status()?;
        if !status.success() {
            return Ok(false);
        }
        for (source, place) in twins {
            let built = directory.path().join(stem(source));
            if self.language == Language::Java {
                fs::create_dir(&built)?;
                let class = class(source);
                for file in fs::read_dir(directory.path())? {
                    let file = file?.path();
                    let rest =
                        file.file_name().and_then(|name| name.to_str()?.strip_prefix(&class));
                    if rest.is_some_and(|rest| rest.starts_with(['.', '$'])) {
                        fs::rename(&file, built.join(file.file_name().unwrap_or_default()))?;
                    }
                }
            }
            // Another check may have built the same in the meantime.
            if let Err(error) = fs::rename(&built, place)
                && !place.exists()
            {
                return Err(error);
            }
        }
        Ok(true)
    }

    /// Starts a twin.
    pub fn command(&self, source: &Path, place: &Path) -> Command {
        match self.language {
            Language::Python => {
                let mut command = bare(&self.path, self.language);
                // Without what the reader's own set-up adds, which can triple the start.
                command.args(["-I", "-S"]).arg(place);
                command
            }
            Language::Java => {
                let mut command = bare(self.path.join("bin/java"), self.language);
                // Nothing runs for so long that a compiler would pay, whose threads are late on a busy
                // machine: with them the first line came after up to 2.0 s, without after 1.2 s.
                command
                    .args(QUICK)
                    .args(["-Xint", "-Xshare:auto", "-cp"])
                    .arg(place)
                    .arg(class(source));
                command
            }
            Language::Go => bare(place, self.language),
        }
    }
}

/// A command without what a reader's own set-up adds to the language.
fn bare(program: impl AsRef<OsStr>, language: Language) -> Command {
    let mut command = Command::new(program);
    let unset: &[&str] = match language {
        Language::Python => &[],
        Language::Java => &["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"],
        Language::Go => {
            &["GODEBUG", "GOFLAGS", "GOGC", "GOMAXPROCS", "GOTRACEBACK", "GOOS", "GOARCH"]
        }
    };
    for name in unset {
        command.env_remove(name);
    }
    if language == Language::Go {
        // Nor another Go than this one, which it would have to download.
        command.env("GOENV", "off").env("GOTOOLCHAIN", "local");
    }
    command
}

/// What a command says to a question, on standard output or on standard error.
fn answer(command: &mut Command, name: &str, on_stderr: bool) -> Result<String, String> {
    // In a group of its own: a shim that waits is ended with what it waits for.
    ends_with_this_process(command).process_group(0);
    let (answer, said) = io::pipe().map_err(|error| format!("{name} cannot be asked: {error}"))?;
    match on_stderr {
        true => command.stdout(Stdio::null()).stderr(said),
        false => command.stdout(said).stderr(Stdio::null()),
    };
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("there is no {name}"),
        _ => format!("{name} cannot be run: {error}"),
    })?;
    // It has the other end open, too.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, answered) = mpsc::channel();
    // Where there is no room for a thread, there is no answer.
    let _ = thread::Builder::new().name(format!("{name}'s answer")).spawn(move || {
        let mut text = String::new();
        let read = answer.take(LONGEST).read_to_string(&mut text);
        let _ = sender.send(read.map(|_| text));
    });
    let answered = answered.recv_timeout(PATIENCE);
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
    let _ = child.wait();
    let in_time = answered
        .map_err(|_| format!("{name} does not say its version within {} s", PATIENCE.as_secs()))?;
    Ok(in_time.unwrap_or_default())
}

/// The name of a program, given its source.
fn stem(source: &Path) -> &str {
    let name = source.file_name().and_then(OsStr::to_str).unwrap_or_default();
    Language::of(name).0
}

/// The class of a Java program: `heartbeat-told` is `HeartbeatTold`.
fn class(source: &Path) -> String {
    let words = stem(source).split('-').filter_map(|word| word.split_at_checked(1));
    words.flat_map(|(first, rest)| [first.to_uppercase(), rest.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_java_program_has_its_class() {
        for (source, name) in [
            ("lessons/02-heartbeat/heartbeat.java", "Heartbeat"),
            ("heartbeat-told-2.java", "HeartbeatTold2"),
        ] {
            assert_eq!(class(Path::new(source)), name);
        }
    }

    #[test]
    fn what_is_built_is_told_apart_by_source_and_version() {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let source = scratch.path().join("beat.go");
        let place = |text: &str, version: &str| {
            fs::write(&source, text).expect("a file");
            let version = version.parse().expect("a version");
            let go = Toolchain { language: Language::Go, path: "/usr/lib/go".into(), version };
            go.place(&source, scratch.path()).expect("a place")
        };
        let first = place("package main", "1.19");
        assert_eq!(first, place("package main", "1.19"));
        assert_ne!(first, place("package beat", "1.19"));
        assert_ne!(first, place("package main", "1.20"));
    }

    #[test]
    fn a_command_that_is_another_is_no_language() {
        let script = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        };
        let said = |text, on_stderr| answer(&mut script(text), "sh", on_stderr);
        assert_eq!(said("echo 1; echo 2 >&2", false).as_deref(), Ok("1\n"));
        assert_eq!(said("echo 1; echo 2 >&2", true).as_deref(), Ok("2\n"));
        let hangs = said("sleep 60", false).expect_err("no answer");
        assert_eq!(hangs, "sh does not say its version within 4 s");
        let missing = answer(&mut Command::new("no-such-command"), "go", false);
        assert_eq!(missing.expect_err("nothing").as_str(), "there is no go");
    }
}
