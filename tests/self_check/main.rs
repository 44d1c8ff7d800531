//! The self-check: one test for every promise block of every chapter.
//!
//! `heartbeat` and `heartbeat::joined` run a lesson's programs, `python::…` their Python twins,
//! `solution::heartbeat` the exercise's solution, `exercise::heartbeat` what the reader has made
//! of the exercise, and `starter::heartbeat` proves that the untouched exercise fails as it should.
//! `progress` runs all exercises and lists how far the reader is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use self_check::verdict::{self, Broken, FirstRun, Verdict};
use workbook::commands::check_command;
use workbook::programs::{self, Programs};
use workbook::promise::{APART, Profile, PythonVersion, TOLERANCE, in_seconds};
use workbook::recording::Recording;
use workbook::run::{Gate, HANGS, end_with_this_process, leftovers};
use workbook::workbook::{Lesson, Located, MARKER, Study, Workbook, all_of};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let lists_progress = arguments.filter.as_deref() == Some("progress");
    if lists_progress {
        arguments.filter = Some("exercise::".to_owned());
        // The list has their names.
        arguments.quiet = true;
    }
    let read = Workbook::load(&Workbook::home())
        .and_then(|workbook| Ok((workbook.recordings()?, Arc::new(workbook))));
    let (recordings, workbook) = match read {
        Ok(read) => read,
        Err(problems) => {
            eprintln!("{:#}", all_of(problems));
            return ExitCode::FAILURE;
        }
    };
    let mut checks = checks(&workbook);
    // The longest first: the whole then takes little longer than it.
    checks.sort_by_key(|check| Reverse(check.length()));

    let shared = Arc::new(Shared {
        recordings,
        ignored: Ignored::read(&workbook.root),
        exercises: workbook.lessons.iter().map(|_| OnceLock::new()).collect(),
        ..Shared::default()
    });
    let count = checks.iter().filter(|check| check.is_selected(&arguments)).count();
    if count == 0 {
        let filter = arguments.filter.as_deref().unwrap_or_default();
        let lessons = workbook.lessons.iter().map(|lesson| lesson.name.as_str());
        let likely = lessons.clone().max_by(|one, other| {
            strsim::jaro_winkler(one, filter).total_cmp(&strsim::jaro_winkler(other, filter))
        });
        eprintln!("no lesson matches `{filter}`; did you mean `{}`?", likely.unwrap_or_default());
        eprintln!("The lessons are:");
        for lesson in lessons {
            eprintln!("  {lesson}");
        }
        return ExitCode::FAILURE;
    }
    if !arguments.list {
        if let Err(error) = end_with_this_process() {
            eprintln!("cannot handle signals: {error}");
            return ExitCode::FAILURE;
        }
        // Looking for Python takes as long as a build that has nothing to do.
        thread::scope(|scope| {
            scope.spawn(|| shared.python());
            shared.build(&workbook, &select(&arguments, &checks));
        });
    }
    let trials = checks.into_iter().map(|check| check.into_trial(&shared)).collect();
    // Lessons mostly sleep, so all of them are under way together.
    let threads = arguments.test_threads.unwrap_or(count.max(2));
    let arguments = Arguments { test_threads: Some(threads), ..arguments };
    shared.gate.expect(count.min(threads));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return ExitCode::SUCCESS;
    }

    let repeated = shared.repeated.load(Ordering::Relaxed);
    if repeated > 0 {
        let (late, apart) = (in_seconds(TOLERANCE), in_seconds(APART));
        println!("run once more, because between {late} and {apart} late: {repeated}");
    }
    shared.tell_progress(&workbook, lists_progress);
    let left = leftovers();
    for process in &left {
        eprintln!("a process is left over from the check: {process}");
    }
    if left.is_empty() { conclusion.exit_code() } else { ExitCode::FAILURE }
}

/// The features of lessons that are on only where this check is built with a feature of its own.
const FEATURES: [(&str, bool); 1] = [("kafka", cfg!(feature = "kafka"))];

/// One test: a block of a chapter, and what is held against it.
struct Check {
    name: String,
    workbook: Arc<Workbook>,
    lesson: usize,
    located: Located,
    subject: Subject,
}

/// What is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Lesson,
    Twin,
    Solution,
    Exercise,
    Starter,
}

/// What the tests of one run of the self-check have in common.
#[derive(Default)]
struct Shared {
    gate: Gate,
    programs: OnceLock<Result<BTreeMap<Profile, Programs>, String>>,
    python: OnceLock<Result<Python, String>>,
    recordings: BTreeMap<String, Recording>,
    ignored: Ignored,
    /// For each lesson, what this run found of its exercise.
    exercises: Vec<OnceLock<Progress>>,
    /// How many scenarios were run once more, because the first run decided nothing.
    repeated: AtomicUsize,
}

/// How far the reader is with an exercise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The marker is still there.
    NotStarted,
    /// It does not compile, or breaks a promise.
    Broken,
    /// It keeps all promises.
    Done,
}

impl Display for Progress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "not started",
            Self::Broken => "broken",
            Self::Done => "done",
        })
    }
}

/// The names in `.gitignore`: what a program may leave where the reader stands. A workbook that came
/// without that file is not held to it.
#[derive(Default)]
struct Ignored(Option<Vec<String>>);

/// The interpreter that runs the twins.
struct Python {
    executable: PathBuf,
    version: PythonVersion,
}

fn checks(workbook: &Arc<Workbook>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (index, lesson) in workbook.lessons.iter().enumerate() {
        let mut add = |name: String, located: &Located, subject| {
            let (workbook, located) = (Arc::clone(workbook), located.clone());
            checks.push(Check { name, workbook, lesson: index, located, subject });
        };
        for located in &lesson.scenarios {
            let name = located.scenario.full_name(&lesson.name);
            if located.scenario.python.is_some() {
                add(format!("python::{name}"), located, Subject::Twin);
            }
            if !located.scenario.is_python_only() {
                add(name, located, Subject::Lesson);
            }
        }
        let Some(Study { exercise, .. }) = &lesson.study else { continue };
        let name = &lesson.name;
        add(format!("exercise::{name}"), exercise, Subject::Exercise);
        add(format!("solution::{name}"), exercise, Subject::Solution);
        add(format!("starter::{name}"), exercise, Subject::Starter);
    }
    checks
}

/// The packages that the arguments select, by profile.
fn select(arguments: &Arguments, checks: &[Check]) -> BTreeMap<Profile, BTreeSet<String>> {
    let mut selected: BTreeMap<Profile, BTreeSet<String>> = BTreeMap::new();
    for check in checks {
        if check.is_selected(arguments) && check.feature() != Some(false) {
            let scenario = &check.located.scenario;
            let packages = selected.entry(scenario.profile).or_default();
            // An exercise that is not begun is not run.
            if check.subject != Subject::Exercise || !check.has_marker() {
                packages.insert(check.lesson().package(scenario));
            }
        }
    }
    selected
}

impl Check {
    fn lesson(&self) -> &Lesson {
        &self.workbook.lessons[self.lesson]
    }

    fn is_selected(&self, arguments: &Arguments) -> bool {
        !arguments.is_filtered_out(&Trial::test(&self.name, || Ok(())))
    }

    fn into_trial(self, shared: &Arc<Shared>) -> Trial {
        let shared = Arc::clone(shared);
        Trial::ignorable_test(self.name.clone(), move || {
            let _expected = shared.gate.expected();
            self.outcome(&shared)
        })
    }

    fn outcome(&self, shared: &Shared) -> Result<Completion, Failed> {
        match self.subject {
            Subject::Lesson if self.feature() == Some(false) => {
                let command = check_command(self.lesson(), &self.located.scenario);
                Ok(Completion::ignored_with(format!("takes `{command}`")))
            }
            Subject::Lesson | Subject::Solution => self.judge(shared),
            Subject::Twin => match self.why_no_python(shared) {
                Some(reason) => Ok(Completion::ignored_with(reason)),
                None => self.judge(shared),
            },
            Subject::Exercise if self.has_marker() => {
                shared.note(self.lesson, Progress::NotStarted);
                Ok(Completion::ignored_with(Progress::NotStarted.to_string()))
            }
            Subject::Exercise => {
                let judged = self.judge(shared);
                let is_done = judged.is_ok();
                let progress = if is_done { Progress::Done } else { Progress::Broken };
                shared.note(self.lesson, progress);
                judged
            }
            Subject::Starter if self.has_marker() => self.judge_starter(shared),
            Subject::Starter => Ok(Completion::ignored_with("begun: the marker is gone")),
        }
    }

    /// How long it may take. A starter that does not end when it should may have to be ended.
    fn length(&self) -> Duration {
        let scenario = &self.located.scenario;
        let mut breaks = scenario.starter_breaks.iter().flatten();
        match self.subject {
            Subject::Starter if breaks.any(|id| id.get_ref() == "ends") => {
                scenario.duration() + HANGS
            }
            _ => scenario.duration(),
        }
    }

    /// Whether the feature that the scenario needs is on, if it needs one.
    fn feature(&self) -> Option<bool> {
        let needed = self.located.scenario.feature.as_ref()?;
        let known = FEATURES.iter().find(|(name, _)| name == needed);
        Some(known.is_none_or(|(_, is_on)| *is_on))
    }

    /// Runs the scenario and reports every promise that is not kept.
    fn judge(&self, shared: &Shared) -> Result<Completion, Failed> {
        let mut verdict = self.hold(shared)?;
        if self.subject == Subject::Lesson {
            let first = verdict.first.as_ref();
            let outdated = first.and_then(|first| self.outdated_recording(shared, first));
            verdict.broken.extend(outdated);
        }
        if verdict.broken.is_empty() {
            Ok(Completion::Completed)
        } else {
            Err(self.report(&verdict).into())
        }
    }

    /// Runs the untouched exercise, which has to break just what its block names.
    fn judge_starter(&self, shared: &Shared) -> Result<Completion, Failed> {
        let verdict = self.hold(shared)?;
        let source = self.exercise_source();
        let source = source.display();
        if verdict.broken.is_empty() {
            let message =
                format!("you solved it: now delete the marker line `{MARKER}` in {source}");
            return Err(message.into());
        }
        let wanted = self.located.scenario.starter_breaks.iter().flatten();
        let wanted: BTreeSet<&str> = wanted.map(|id| id.get_ref().as_str()).collect();
        let found = verdict.ids();
        if wanted == found {
            return Ok(Completion::Completed);
        }
        let mut change = String::new();
        for (verb, names) in [("breaks", &found - &wanted), ("keeps", &wanted - &found)] {
            for name in names {
                change
                    .push_str(&format!("Other than the untouched starter, it {verb} `{name}`.\n"));
            }
        }
        let lesson = &self.lesson().name;
        Err(format!(
            "If you have begun the exercise, delete the marker line `{MARKER}` in {source}:\n\
             then `cargo test {lesson}` judges your work.\n\
             {change}\n{}",
            self.report(&verdict),
        )
        .into())
    }

    /// The recording that the book shows has to tell the story of a fresh run.
    fn outdated_recording(&self, shared: &Shared, first: &FirstRun) -> Option<Broken> {
        let recording = shared.recordings.get(&self.name)?;
        let run = &self.located.scenario.runs[0];
        let files: Vec<_> = recording.file.iter().map(|file| file.name.clone()).collect();
        let but = match recording.tells_the_story_of(&first.stdout, run) {
            Err(but) => but,
            Ok(()) if !recording.ends_as(run) => {
                format!("the recorded run ends otherwise than promised, at {} s", recording.ended)
            }
            Ok(()) if recording.exit != first.exit => "the exit codes differ".to_owned(),
            Ok(()) if files != first.files => {
                format!("it left {files:?} then, {:?} now", first.files)
            }
            Ok(()) => return None,
        };
        let path = Recording::path(&self.name);
        Some(Broken {
            id: "recording".to_owned(),
            promised: format!("happens as in {}, which the chapter shows", path.display()),
            but: format!("{but}; `cargo run -- record {}` renews it", self.lesson().name),
        })
    }

    fn hold(&self, shared: &Shared) -> Result<Verdict, Failed> {
        let program = self.program();
        let (executable, flags): (&Path, &[&str]) = if self.subject == Subject::Twin {
            // Without what the reader's own set-up adds, which can triple the start.
            (&shared.python()?.executable, &["-I", "-S"])
        } else {
            (shared.program(self)?, &[])
        };
        let twin = self.workbook.root.join(self.lesson().twin(&program));
        let command = || {
            let mut command = Command::new(executable);
            command.args(flags);
            if self.subject == Subject::Twin {
                command.arg(&twin);
            }
            command
        };
        let mut verdict =
            verdict::hold(&self.located.scenario, command, &shared.gate, self.length())
                .map_err(|error| format!("{program} cannot be run: {error}"))?;
        shared.repeated.fetch_add(verdict.repeated.into(), Ordering::Relaxed);
        let strangers = verdict.left.iter().filter(|name| !shared.ignored.covers(name));
        let strangers: Vec<_> = strangers.map(String::as_str).collect();
        if !strangers.is_empty() {
            let promised = "leaves no file but those in .gitignore".to_owned();
            let but = format!("there is {}", strangers.join(", "));
            verdict.broken.push(Broken { id: promised.clone(), promised, but });
        }
        Ok(verdict)
    }

    /// The name of the program, without its directory.
    fn program(&self) -> String {
        let lesson = self.lesson();
        match self.subject {
            Subject::Lesson | Subject::Twin => lesson.program(&self.located.scenario).to_owned(),
            Subject::Solution => lesson.solution_program(),
            Subject::Exercise | Subject::Starter => lesson.exercise_program(),
        }
    }

    fn exercise_source(&self) -> PathBuf {
        self.lesson().source(&self.lesson().exercise_program())
    }

    fn has_marker(&self) -> bool {
        has_marker(&self.workbook.root, &self.exercise_source())
    }

    fn why_no_python(&self, shared: &Shared) -> Option<String> {
        let needed = self.located.scenario.python?;
        match shared.python() {
            Err(reason) => Some(reason.to_owned()),
            Ok(python) if python.version < needed => {
                Some(format!("needs Python {needed}, this is {}", python.version))
            }
            Ok(_) => None,
        }
    }

    fn report(&self, verdict: &Verdict) -> String {
        let (chapter, line) = (self.lesson().chapter.display(), self.located.line);
        format!("{}: {chapter}:{line}\n{verdict}", self.name)
    }
}

impl Shared {
    /// Builds what is selected, before the first test starts.
    fn build(&self, workbook: &Workbook, selected: &BTreeMap<Profile, BTreeSet<String>>) {
        self.programs.get_or_init(|| {
            let build = |(profile, packages): (&Profile, &BTreeSet<String>)| {
                let packages = packages.iter().map(String::as_str);
                let programs = programs::build(&workbook.root, packages, *profile);
                programs.map(|programs| (*profile, programs)).map_err(|error| format!("{error:#}"))
            };
            selected.iter().filter(|(_, packages)| !packages.is_empty()).map(build).collect()
        });
    }

    /// The interpreter, or why there is none.
    fn python(&self) -> Result<&Python, &str> {
        self.python.get_or_init(find_python).as_ref().map_err(String::as_str)
    }

    fn program(&self, check: &Check) -> Result<&Path, Failed> {
        let built = match self.programs.get() {
            Some(Ok(built)) => built,
            Some(Err(error)) => return Err(error.into()),
            None => return Err("nothing was built".into()),
        };
        let program = check.program();
        built
            .get(&check.located.scenario.profile)
            .and_then(|programs| programs.get(&program))
            .map(PathBuf::as_path)
            .ok_or_else(|| {
                let source = check.lesson().source(&program);
                format!("{} did not compile; the compiler's message is above", source.display())
                    .into()
            })
    }

    /// Keeps what was found of a lesson's exercise. Each is judged once.
    fn note(&self, lesson: usize, progress: Progress) {
        let _ = self.exercises[lesson].set(progress);
    }

    /// Tells how far the reader is, as far as this run has found out: each exercise by name if
    /// `each` is set, the numbers if all were looked at, and which one comes after the last that
    /// is done: one that is broken, or else one that is not begun.
    fn tell_progress(&self, workbook: &Workbook, each: bool) {
        let lessons = workbook.lessons.iter().enumerate();
        let lessons: Vec<_> = lessons.filter(|(_, lesson)| lesson.study.is_some()).collect();
        let found: Vec<_> = lessons
            .iter()
            .filter_map(|(index, lesson)| Some((*lesson, *self.exercises[*index].get()?)))
            .collect();
        if each {
            for (lesson, progress) in &found {
                println!("  {:<20} {progress}", lesson.name);
            }
        }
        let all = [Progress::Done, Progress::Broken, Progress::NotStarted];
        if found.len() == lessons.len() {
            let counts = all.map(|wanted| {
                let count = found.iter().filter(|(_, progress)| *progress == wanted).count();
                format!("{count} {wanted}")
            });
            println!("exercises: {}; `cargo test progress` lists them", counts.join(", "));
        }
        let done = found.iter().rposition(|(_, progress)| *progress == Progress::Done);
        let Some(passed) = done.map(|index| found[index].0) else { return };
        let before = lessons.iter().take_while(|(_, lesson)| lesson.name != passed.name).count();
        let others = || lessons[before + 1..].iter().chain(&lessons[..before]);
        let source = |lesson: &Lesson| lesson.source(&lesson.exercise_program());
        let progress = |index: usize| self.exercises[index].get().copied();
        let broken = others().find(|(index, _)| progress(*index) == Some(Progress::Broken));
        let unbegun = || others().find(|(_, lesson)| has_marker(&workbook.root, &source(lesson)));
        let passed = &passed.name;
        match broken.or_else(unbegun) {
            Some((_, lesson)) => {
                println!("exercise {passed}: passed. The next one is {}", source(lesson).display());
            }
            None => println!("exercise {passed}: passed. All exercises are begun."),
        }
    }
}

impl Ignored {
    fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join(".gitignore")).ok();
        Self(text.map(|text| text.lines().map(str::to_owned).collect()))
    }

    /// A name may end in `*`, for files that a library puts beside its own.
    fn covers(&self, name: &str) -> bool {
        let Some(names) = &self.0 else { return true };
        names.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == ignored,
        })
    }
}

/// Whether the reader has not begun an exercise.
fn has_marker(root: &Path, source: &Path) -> bool {
    fs::read_to_string(root.join(source)).is_ok_and(|text| text.contains(MARKER))
}

/// Asks `python3` once for itself: a version manager's shim would cost 0.1 s at every start.
fn find_python() -> Result<Python, String> {
    let question = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let answer = Command::new("python3")
        .args(["-I", "-S", "-c", question])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "there is no python3".to_owned())?;
    let text = String::from_utf8_lossy(&answer.stdout);
    match text.lines().collect::<Vec<_>>()[..] {
        [executable, version] if answer.status.success() => {
            Ok(Python { executable: executable.into(), version: version.parse()? })
        }
        _ => Err("python3 does not run".to_owned()),
    }
}
