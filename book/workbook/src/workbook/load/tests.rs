//! What is said of a workbook whose parts do not belong together: a test for each mistake, and so a long
//! file.

use super::*;

const CHAPTER: &str = "# The heartbeat
*Why does it not exit?*
{{#minutes 10}}
{{#recording heartbeat}}
```promise
ends = 3.5
exit = 0
python = \"3.6\"
```

1. In a list:

   ```promise
   starter_breaks = [\"ends\"]
   ends = 2.5
   exit = 0
   ```
";

const SUMMARY_OF_ALL: &str = "# Summary

[First](index.md)

# The lessons

- [The heartbeat](02-heartbeat.md)
  - [Its signals](02-heartbeat-signals.md)

# Promises

- [The heartbeat](promises/02-heartbeat.md)
";

const DEEPER: &str = "# Its signals
*What does a signal leave?*
{{#minutes}}
```promise
name = \"joined\"
program = \"heartbeat-joined\"
ends = 1
exit = 0
stderr = [{ says = [] }]
```
";

const PROMISES_PAGE: &str = "# Promises of the heartbeat
```promise
name = \"again\"
ends = 3.5
exit = 0
```
";

const OWN: &str = "book/chapters/02-heartbeat.md";
const SIGNALS: &str = "book/chapters/02-heartbeat-signals.md";
const TESTED: &str = "book/chapters/promises/02-heartbeat.md";

/// A workbook with one lesson that has everything.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let scratch = Self(tempfile::tempdir().expect("a temporary directory"));
        scratch.write("book/chapters/SUMMARY.md", "- [The heartbeat](02-heartbeat.md)\n");
        scratch.write("book/chapters/02-heartbeat.md", CHAPTER);
        let manifest = "[package]\nname = \"heartbeat\"\ndefault-run = \"heartbeat\"\n";
        scratch.write("lessons/02-heartbeat/Cargo.toml", manifest);
        scratch.write("lessons/02-heartbeat/heartbeat.py", "");
        scratch.write("lessons/02-heartbeat/src/main.rs", "");
        scratch.write("lessons/02-heartbeat/src/bin/heartbeat-exercise.rs", "");
        scratch.write("lessons/02-heartbeat/src/bin/heartbeat-solution.rs", "");
        scratch.write("lessons/lesson-log/src/lib.rs", "");
        scratch
    }

    /// The lesson has a deeper page and a promises page as well.
    fn with_all_pages() -> Self {
        let scratch = Self::new();
        scratch.write(SUMMARY, SUMMARY_OF_ALL);
        scratch.write("book/chapters/index.md", "# First\n");
        scratch.write(OWN, &format!("{CHAPTER}\n[More](promises/02-heartbeat.md)\n"));
        scratch.write(SIGNALS, DEEPER);
        scratch.write(TESTED, PROMISES_PAGE);
        let config = "[output.html.search.chapter]\n\"promises\" = { enable = false }\n";
        scratch.write("book/book.toml", config);
        scratch.write("lessons/02-heartbeat/src/bin/heartbeat-joined.rs", "");
        scratch
    }

    /// Writes a file anew, with one text in it in the place of another.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no `{from}`");
        self.write(path, &text.replace(from, to));
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("a file")
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.0.path().join(path)).expect("a file");
    }

    fn notices(&self) -> Vec<String> {
        let workbook = Workbook::load(self.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
        workbook.notices.iter().map(Problem::to_string).collect()
    }

    fn problems(&self) -> Vec<String> {
        let problems = Workbook::load(self.0.path()).map(drop).err().unwrap_or_default();
        problems.iter().map(Problem::to_string).collect()
    }
}

#[test]
fn a_whole_workbook_is_read() {
    let scratch = Scratch::new();
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let chapter = workbook.chapter("heartbeat").expect("the lesson");
    assert_eq!(chapter.page().path, Path::new("book/chapters/02-heartbeat.md"));
    assert_eq!(chapter.scenarios().next().map(|block| block.place.line), Some(5));
    let lesson = chapter.lesson.as_ref().expect("a lesson to work through");
    assert_eq!(lesson.question, "Why does it not exit?");
    assert_eq!(lesson.to_do, 10);
    assert_eq!(lesson.exercise.place().line, 13);
}

#[test]
fn what_a_new_lesson_forgot_is_named() {
    let scratch = Scratch::new();
    scratch.write("book/chapters/03-new.md", "# The `new` one\n");
    scratch.write("book/chapters/04-other-deep.md", "# Deep\n{{#minutes}}\n");
    scratch.write("lessons/04-other/src/main.rs", "");
    assert_eq!(
        scratch.problems(),
        [
            "book/chapters/SUMMARY.md: a page is missing; add the line \
             `- [The new one](03-new.md)`",
            "book/chapters/03-new.md: this chapter has no lesson; add the crate lessons/03-new; \
             a note of your own has no number",
            "book/chapters/SUMMARY.md: a page is missing; add the line \
             `  - [Deep](04-other-deep.md)` below 04-other.md",
            "lessons/04-other: this lesson has no chapter; add book/chapters/04-other.md",
        ]
    );
}

#[test]
fn a_missing_program_is_named_with_the_line_of_its_promise() {
    let scratch = Scratch::new();
    for path in ["heartbeat.py", "src/main.rs", "src/bin/heartbeat-solution.rs"] {
        scratch.remove(&format!("lessons/02-heartbeat/{path}"));
    }
    let at = "book/chapters/02-heartbeat.md";
    scratch.edit(at, "python = \"3.6\"\n", "python = \"3.6\"\njava = \"17\"\ngo = \"1.19\"\n");
    assert_eq!(
        scratch.problems(),
        [
            format!("{at}:15: lessons/02-heartbeat/src/bin/heartbeat-solution.rs is missing"),
            format!("{at}:5: lessons/02-heartbeat/src/main.rs is missing"),
            format!("{at}:5: lessons/02-heartbeat/heartbeat.py is missing"),
            format!("{at}:5: lessons/02-heartbeat/heartbeat.java is missing"),
            format!("{at}:5: lessons/02-heartbeat/heartbeat.go is missing"),
        ]
    );
}

#[test]
fn what_is_no_part_of_the_workbook_is_told_and_left_out() {
    let scratch = Scratch::with_all_pages();
    assert_eq!(scratch.notices(), [""; 0]);
    scratch.write("lessons/02-heartbeat/src/bin/heartbeat-try.rs", "");
    scratch.write("lessons/02-heartbeat/src/bin/try/main.rs", "");
    scratch.write("lessons/02-heartbeat/try.py", "");
    scratch.write("lessons/02-heartbeat/heartbeat.java", "");
    scratch.write("lessons/02-heartbeat/try.go", "");
    scratch.write("lessons/02-heartbeat/compile-fail/try.rs", "");
    scratch.write("lessons/04-other/src/main.rs", "");
    scratch.write("lessons/notes/one.md", "");
    scratch.write("lessons/try/src/main.rs", "");
    scratch.write("book/recordings/old.toml", "");
    for note in ["notes", "02-heartbeat (1)", "02-heartbeat-mine", "promises/mine", "try"] {
        scratch.write(&format!("book/chapters/{note}.md"), "Not even a title\n");
    }
    scratch.write("book/chapters/pictures/shown.svg", "");
    scratch.write("book/chapters/pictures/other.svg", "");
    scratch.write("book/chapters/ideas/one.md", "");
    scratch.write("book/chapters/try.py", "");
    scratch.write(SIGNALS, &format!("{DEEPER}\n![A picture](pictures/shown.svg), retry.py\n"));
    let no_promise = format!("no promise in {OWN} runs it");
    let unlisted = "SUMMARY.md does not list it".to_owned();
    let unshown = "no chapter shows it".to_owned();
    let expected = [
        ("book/chapters/02-heartbeat (1).md", unlisted.clone()),
        ("book/chapters/02-heartbeat-mine.md", unlisted.clone()),
        ("book/chapters/notes.md", unlisted.clone()),
        ("book/chapters/try.md", unlisted.clone()),
        ("book/chapters/promises/mine.md", unlisted),
        ("lessons/02-heartbeat/src/bin/heartbeat-try.rs", no_promise.clone()),
        ("lessons/02-heartbeat/src/bin/try", no_promise.clone()),
        ("lessons/02-heartbeat/try.py", no_promise.clone()),
        ("lessons/02-heartbeat/heartbeat.java", no_promise.clone()),
        ("lessons/02-heartbeat/try.go", no_promise),
        ("lessons/02-heartbeat/compile-fail/try.rs", format!("{OWN} does not include it")),
        ("lessons/04-other", "there is no book/chapters/04-other.md".to_owned()),
        ("lessons/notes", "there is no chapter of this name".to_owned()),
        ("lessons/try", "there is no chapter of this name".to_owned()),
        ("book/chapters/ideas", unshown.clone()),
        ("book/chapters/pictures/other.svg", unshown.clone()),
        ("book/chapters/try.py", unshown),
        ("book/recordings/old.toml", "no chapter shows this recording".to_owned()),
    ];
    let expected = expected.map(|(path, why)| format!("{path}: left out: {why}"));
    assert_eq!(scratch.notices(), expected);
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    assert_eq!(workbook.shown, [Path::new("pictures/shown.svg")]);
}

#[test]
fn what_tools_leave_is_not_even_told() {
    let scratch = Scratch::with_all_pages();
    for directory in [
        "book/chapters",
        "book/chapters/promises",
        "book/recordings",
        "lessons",
        "lessons/02-heartbeat",
        "lessons/02-heartbeat/compile-fail",
        "lessons/02-heartbeat/src/bin",
    ] {
        for name in ["02-heartbeat.md~", "#02-heartbeat.md#", ".DS_Store", "x.py.orig", "4913"] {
            scratch.write(&format!("{directory}/{name}"), "");
        }
        scratch.write(&format!("{directory}/.obsidian/workspace.json"), "");
        let lock = scratch.0.path().join(directory).join(".#02-heartbeat.md");
        std::os::unix::fs::symlink("reader@machine.4711:1", lock).expect("a link");
    }
    assert_eq!(scratch.notices(), [""; 0]);
}

#[test]
fn a_promise_that_no_test_would_run_is_refused() {
    let scratch = Scratch::new();
    scratch.write("book/chapters/index.md", "# First\n\n```promise\nends = 1\nexit = 0\n```\n");
    scratch.write("book/chapters/SUMMARY.md", "[I](index.md)\n[H](02-heartbeat.md)\n");
    assert_eq!(
        scratch.problems(),
        ["book/chapters/index.md:3: no test would run this promise; \
          it belongs into a lesson's chapter"]
    );
    scratch.write("book/chapters/index.md", "# First\n\n```promises\nends = 1\n```\n");
    assert_eq!(
        scratch.problems(),
        ["book/chapters/index.md:3: ` ```promises` is not checked; write ` ```promise`"]
    );
}

#[test]
fn a_mistake_in_a_block_is_named_with_its_own_line() {
    let scratch = Scratch::new();
    let at = "book/chapters/02-heartbeat.md";
    let chapter = CHAPTER.replace("python = \"3.6\"", "pyhton = \"3.6\"");
    scratch.write(at, &chapter);
    assert!(scratch.problems()[0].starts_with(&format!("{at}:8: unknown field `pyhton`")));
    // Also in a list, where the block is indented.
    let chapter = CHAPTER.replace("   exit = 0", "   exti = 0");
    scratch.write(at, &chapter);
    assert!(scratch.problems()[0].starts_with(&format!("{at}:16: unknown field `exti`")));
    // What is missing is missing from the whole block.
    scratch.write(at, &CHAPTER.replace("ends = 3.5\n", ""));
    assert_eq!(scratch.problems(), [format!("{at}:5: missing field `ends`")]);
}

#[test]
fn a_chapter_has_one_exercise_and_names_that_differ() {
    let scratch = Scratch::new();
    let at = "book/chapters/02-heartbeat.md";
    scratch.write(at, &CHAPTER.replace("starter_breaks = [\"ends\"]", "name = \"a\""));
    let one = "a lesson has one promise block with `starter_breaks`, or one `exam`";
    assert_eq!(scratch.problems(), [format!("{at}: 0 exercises; {one}")]);
    scratch.write(at, &format!("{CHAPTER}\n```promise\nends = 1\nexit = 0\n```\n"));
    assert_eq!(scratch.problems(), [format!("{at}:19: a second scenario without a `name`")]);
}

#[test]
fn an_exercise_may_sit_an_exam() {
    let scratch = Scratch::new();
    let exercise = CHAPTER.find("   ```promise").expect("the exercise's block");
    let exam = "```exam\nstarter_passes = [\"basics\"]\njava = \"17\"\n```\n";
    scratch.write(OWN, &format!("{}\n{exam}", &CHAPTER[..exercise]));
    // The lesson's own twin is Python's.
    let missing = "lessons/02-heartbeat/heartbeat.java is missing";
    assert_eq!(scratch.problems(), [format!("{OWN}:14: {missing}")]);
    scratch.write("lessons/02-heartbeat/heartbeat.java", "");
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let lesson = workbook.chapter("heartbeat").and_then(|chapter| chapter.lesson.as_ref());
    let lesson = lesson.expect("a lesson to work through");
    assert!(
        matches!(&lesson.exercise, Exercise::Exam(exam) if exam.says.starter_passes == ["basics"])
    );
    assert!(workbook.notices.is_empty(), "{:?}", workbook.notices);
    let lines = workbook.promises();
    let line = "heartbeat exercise exam starter_passes=[\"basics\"] java=17";
    assert!(lines.iter().any(|(one, _)| one == line), "{lines:?}");

    scratch.write(OWN, &format!("{CHAPTER}\n{exam}"));
    let one = "a lesson has one promise block with `starter_breaks`, or one `exam`";
    assert_eq!(scratch.problems(), [format!("{OWN}:19: 2 exercises; {one}")]);
}

#[test]
fn each_chapter_shows_a_run_and_each_run_has_its_recording() {
    let scratch = Scratch::new();
    let at = "book/chapters/02-heartbeat.md";
    let recordings = |scratch: &Scratch| -> Vec<String> {
        let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
        let problems = workbook.recordings().map(drop).err().unwrap_or_default();
        problems.iter().map(Problem::to_string).collect()
    };
    assert_eq!(
        recordings(&scratch),
        [format!(
            "{at}:4: book/recordings/heartbeat.toml is missing; \
             `cargo run -- record heartbeat` makes it"
        )]
    );
    let recording = "ended = 1\nstdout = []\nthread = []\n";
    scratch.write("book/recordings/heartbeat.toml", recording);
    assert_eq!(recordings(&scratch), [""; 0]);

    scratch.write(at, &CHAPTER.replace("#recording heartbeat", "#recording heartbaet"));
    assert_eq!(
        scratch.problems(),
        [format!("{at}:4: there is no scenario `heartbaet` to show a recording of")]
    );
    scratch.write(at, &CHAPTER.replace("{{#recording heartbeat}}", "{{#log heartbeat}}"));
    assert_eq!(
        scratch.problems(),
        [format!(
            "{at}:4: write `{{{{#recording <scenario>…}}}}` or `{{{{#log <scenario> <lines>}}}}`"
        )]
    );
    scratch.write(at, &CHAPTER.replace("{{#recording heartbeat}}", ""));
    assert_eq!(
        scratch.problems(),
        [format!("{at}: no run is shown; add a line `{{{{#recording heartbeat}}}}`")]
    );
}

#[test]
fn a_table_of_outcomes_has_no_open_cell() {
    let scratch = Scratch::new();
    let at = "book/chapters/02-heartbeat.md";
    let table = "```outcomes
caption = \"c\"
head = \"h\"
[[row]]
scenario = \"heartbeat\"
title = \"t\"
[[column]]
title = \"t\"
stderr = \"beat\"
```
";
    scratch.write(at, &format!("{CHAPTER}{table}"));
    assert_eq!(
        scratch.problems(),
        [format!(
            "{at}:5: this does not decide whether stderr has `beat`, \
             which the table on line 18 asks"
        )]
    );
    let decided = CHAPTER.replacen("exit = 0\n", "exit = 0\nstderr = [{ says = [] }]\n", 1);
    scratch.write(at, &format!("{decided}{table}"));
    assert_eq!(scratch.problems(), [""; 0]);
    let unknown = table.replace("\"heartbeat\"", "\"heartbeat::joined\"");
    scratch.write(at, &format!("{decided}{unknown}"));
    assert_eq!(
        scratch.problems(),
        [format!("{at}:22: this chapter has no scenario `heartbeat::joined`")]
    );
    let rust_only = decided.replacen("python = \"3.6\"\n", "", 1);
    scratch.remove("lessons/02-heartbeat/heartbeat.py");
    scratch
        .write(at, &format!("{rust_only}{}", table.replace("caption", "python = true\ncaption")));
    assert_eq!(scratch.problems(), [format!("{at}:22: no Python program is run for `heartbeat`")]);
    scratch.write("lessons/02-heartbeat/heartbeat.py", "");
    let python_only = decided.replacen("ends", "program = \"heartbeat.py\"\nends", 1);
    scratch.write(at, &format!("{python_only}{table}"));
    assert!(
        scratch.problems().contains(&format!("{at}:23: no Rust program is run for `heartbeat`"))
    );
    scratch.write(at, &format!("{decided}{}", table.replace("stderr", "stdrr")));
    assert!(scratch.problems()[0].starts_with(&format!("{at}:27: unknown field `stdrr`")));
    scratch.write("book/chapters/index.md", &format!("# First\n\n{table}"));
    scratch.write("book/chapters/SUMMARY.md", "[I](index.md)\n[H](02-heartbeat.md)\n");
    scratch.write(at, CHAPTER);
    assert_eq!(
        scratch.problems(),
        ["book/chapters/index.md:3: no scenario stands behind this; \
          it belongs into a lesson's chapter"]
    );
}

#[test]
fn a_feature_stands_in_the_manifest() {
    let scratch = Scratch::new();
    let chapter = CHAPTER.replace("exit = 0\npython", "exit = 0\nfeature = \"kafka\"\npython");
    scratch.write("book/chapters/02-heartbeat.md", &chapter);
    assert_eq!(
        scratch.problems(),
        ["book/chapters/02-heartbeat.md:5: \
          lessons/02-heartbeat/Cargo.toml has no feature `kafka`"]
    );
    let manifest = "[package]\nname = \"heartbeat\"\ndefault-run = \"heartbeat\"\n\
                    [features]\nkafka = []\n";
    scratch.write("lessons/02-heartbeat/Cargo.toml", manifest);
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let chapter = workbook.chapter("heartbeat").expect("the lesson");
    let first = chapter.scenarios().next().expect("a scenario");
    assert_eq!(chapter.package(&first.says), "heartbeat/kafka");
    let lesson = chapter.lesson.as_ref().expect("a lesson to work through");
    let exercise = lesson.exercise.promises().expect("no exam");
    assert_eq!(chapter.package(&exercise.says), "heartbeat");
}

#[test]
fn a_program_may_have_a_crate_below_its_lesson() {
    let scratch = Scratch::new();
    scratch.write("lessons/02-heartbeat/cpp/Cargo.toml", "[package]\nname = \"cpp\"\n");
    scratch.write("lessons/02-heartbeat/cpp/src/main.rs", "");
    assert_eq!(
        scratch.notices(),
        ["lessons/02-heartbeat/cpp/src/main.rs: left out: no promise in \
          book/chapters/02-heartbeat.md runs it"]
    );
    let block = "\n```promise\nname = \"cpp\"\nprogram = \"heartbeat-cpp\"\nneeds = \"c++\"\n\
                 ends = 1\nsignal = \"SIGSEGV\"\n```\n";
    scratch.write("book/chapters/02-heartbeat.md", &format!("{CHAPTER}{block}"));
    assert_eq!(
        scratch.problems(),
        ["lessons/02-heartbeat/cpp/Cargo.toml: expected `name = \"heartbeat-cpp\"`"]
    );
    let manifest = "[package]\nname = \"heartbeat-cpp\"\n";
    scratch.write("lessons/02-heartbeat/cpp/Cargo.toml", manifest);
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let (chapter, block) = workbook.scenario("heartbeat::cpp").expect("a scenario");
    assert_eq!(chapter.package(&block.says), "heartbeat-cpp");
    scratch.remove("lessons/02-heartbeat/cpp/src/main.rs");
    let line = 1 + CHAPTER.lines().count() + 1;
    assert_eq!(
        scratch.problems(),
        [format!("{OWN}:{line}: lessons/02-heartbeat/cpp/src/main.rs is missing")]
    );
}

#[test]
fn a_chapter_opens_with_its_question_and_its_minutes() {
    let at = "book/chapters/02-heartbeat.md";
    for (written, wrong) in [
        ("*Why does it not exit?*", ""),
        ("not exit?*", "not exit.*"),
        ("{{#minutes 10}}", "{{#minutes}}"),
        ("{{#minutes 10}}", ""),
    ] {
        let scratch = Scratch::new();
        scratch.write(at, &CHAPTER.replace(written, wrong));
        let message = "a chapter begins with its title, its question (`*Why …?*`) and \
                       `{{#minutes 10}}`, the minutes that its programs and its exercise take";
        assert_eq!(scratch.problems(), [format!("{at}:1: {message}")]);
    }
}

#[test]
fn an_appendix_may_have_programs() {
    let scratch = Scratch::new();
    let at = "book/chapters/claims.md";
    let page = "# Claims\n\n```promise\nprogram = \"claims-gc\"\nends = 1\nexit = 0\n```\n";
    scratch.write("book/chapters/SUMMARY.md", "[H](02-heartbeat.md)\n[C](claims.md)\n");
    scratch.write(at, page);
    scratch.write("lessons/claims/Cargo.toml", "[package]\nname = \"claims\"\n");
    scratch.write("lessons/claims/src/bin/claims-gc.rs", "");
    assert_eq!(scratch.problems(), [""; 0]);
    scratch.write(
        at,
        &format!("{page}\n```promise\nstarter_breaks = [\"ends\"]\nends = 1\nexit = 0\n```\n"),
    );
    assert_eq!(scratch.problems(), [format!("{at}:9: only a lesson has an exercise")]);
    scratch.remove(at);
    scratch.write("book/chapters/SUMMARY.md", "[H](02-heartbeat.md)\n");
    assert_eq!(scratch.notices(), ["lessons/claims: left out: there is no chapter of this name"]);
}

#[test]
fn the_manifest_names_the_lesson() {
    let scratch = Scratch::new();
    scratch.write("lessons/02-heartbeat/Cargo.toml", "[package]\nname = \"heartbaet\"\n");
    assert_eq!(
        scratch.problems(),
        [
            "lessons/02-heartbeat/Cargo.toml: expected `name = \"heartbeat\"`",
            "lessons/02-heartbeat/Cargo.toml: expected `default-run = \"heartbeat\"`",
        ]
    );
}

#[test]
fn all_pages_of_a_lesson_are_its_specification() {
    let scratch = Scratch::with_all_pages();
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let chapter = workbook.chapter("heartbeat").expect("the lesson");
    let pages: Vec<_> = chapter.pages.iter().map(|page| page.path.as_path()).collect();
    assert_eq!(pages, [OWN, SIGNALS, TESTED].map(Path::new));
    let names: Vec<_> =
        chapter.scenarios().map(|block| block.says.full_name("heartbeat")).collect();
    assert_eq!(names, ["heartbeat", "heartbeat::joined", "heartbeat::again"]);
    let place = |name: &str| workbook.scenario(name).expect("a scenario").1.place.to_string();
    assert_eq!(place("heartbeat::joined"), format!("{SIGNALS}:4"));
    assert_eq!(place("heartbeat::again"), format!("{TESTED}:2"));
    let owner = |page: &str| {
        let (_, chapter) = workbook.page(Path::new(page)).expect("a page");
        chapter.map(|chapter| chapter.name.as_str())
    };
    assert_eq!(owner("02-heartbeat-signals.md"), Some("heartbeat"));
    assert_eq!(owner("promises/02-heartbeat.md"), Some("heartbeat"));
    assert_eq!(owner("index.md"), None);
    // Only the deeper page has a promise of this program.
    scratch.edit(SIGNALS, "program = \"heartbeat-joined\"\n", "");
    let joined = "lessons/02-heartbeat/src/bin/heartbeat-joined.rs";
    let told = format!("{joined}: left out: no promise in {OWN} runs it");
    assert_eq!(scratch.notices(), [told]);
}

#[test]
fn deeper_pages_stand_in_the_order_of_the_summary() {
    let scratch = Scratch::with_all_pages();
    let opening = "# A\n*Why?*\n{{#minutes}}\n";
    scratch.write("book/chapters/02-heartbeat-a.md", opening);
    scratch.write("book/chapters/02-heartbeat-z.md", opening);
    let line = "  - [Its signals](02-heartbeat-signals.md)\n";
    let lines = format!("  - [Z](./02-heartbeat-z.md)\n{line}  - [A](02-heartbeat-a.md)\n");
    scratch.edit(SUMMARY, line, &lines);
    let workbook = Workbook::load(scratch.0.path()).unwrap_or_else(|p| panic!("{p:?}"));
    let chapter = workbook.chapter("heartbeat").expect("the lesson");
    let stems: Vec<_> = chapter.pages.iter().filter_map(|page| page.path.file_stem()).collect();
    assert_eq!(
        stems,
        [
            "02-heartbeat",
            "02-heartbeat-z",
            "02-heartbeat-signals",
            "02-heartbeat-a",
            "02-heartbeat"
        ]
    );
}

#[test]
fn a_page_that_is_not_in_the_summary_is_named_with_its_line() {
    for (line, expected) in [
        (
            "  - [Its signals](02-heartbeat-signals.md)\n",
            "a page is missing; add the line `  - [Its signals](02-heartbeat-signals.md)` \
             below 02-heartbeat.md",
        ),
        (
            "- [The heartbeat](promises/02-heartbeat.md)\n",
            "a page is missing; add the line \
             `- [Promises of the heartbeat](promises/02-heartbeat.md)`",
        ),
    ] {
        let scratch = Scratch::with_all_pages();
        scratch.edit(SUMMARY, line, "");
        assert_eq!(scratch.problems(), [format!("{SUMMARY}: {expected}")]);
    }
    // The page below which another one was nested.
    let scratch = Scratch::with_all_pages();
    scratch.edit(SUMMARY, "- [The heartbeat](02-heartbeat.md)\n  ", "");
    let nest = "02-heartbeat-signals.md is a deeper page; nest its line below 02-heartbeat.md";
    let add = "a page is missing; add the line `- [The heartbeat](02-heartbeat.md)`";
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:7: {nest}"), format!("{SUMMARY}: {add}")]);
}

#[test]
fn a_line_of_the_summary_has_its_page() {
    for (path, line) in [("index.md", 3), ("promises/02-heartbeat.md", 12)] {
        let scratch = Scratch::with_all_pages();
        scratch.remove(&format!("{CHAPTERS}/{path}"));
        let message = format!("{SUMMARY}:{line}: there is no book/chapters/{path}");
        assert_eq!(scratch.problems(), [message]);
    }
    let scratch = Scratch::with_all_pages();
    scratch.edit(SUMMARY, "(index.md)", "()");
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:3: there is no book/chapters/"),]);
}

#[test]
fn a_deeper_page_is_nested_below_its_lesson() {
    let message = "02-heartbeat-signals.md is a deeper page; nest its line below 02-heartbeat.md";
    let scratch = Scratch::with_all_pages();
    scratch.edit(SUMMARY, "  - [Its", "- [Its");
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:8: {message}")]);
    // Below another deeper page, and below a page of another name.
    scratch.write(SUMMARY, SUMMARY_OF_ALL);
    scratch.write("book/chapters/02-heartbeat-a.md", "# A\n*Why?*\n{{#minutes}}\n");
    scratch.edit(SUMMARY, "  - [Its", "  - [A](02-heartbeat-a.md)\n    - [Its");
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:9: {message}")]);
    let scratch = Scratch::with_all_pages();
    scratch.write("book/chapters/other.md", "# Other\n");
    scratch.edit(SUMMARY, "  - [Its", "- [Other](other.md)\n  - [Its");
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:9: {message}")]);
}

#[test]
fn a_deeper_page_has_a_lesson_with_a_page_and_a_crate() {
    let deeper = || {
        let scratch = Scratch::new();
        scratch.write(SIGNALS, DEEPER);
        scratch.write("lessons/02-heartbeat/src/bin/heartbeat-joined.rs", "");
        let lines = "- [H](02-heartbeat.md)\n  - [Its signals](02-heartbeat-signals.md)\n";
        scratch.write(SUMMARY, lines);
        scratch
    };
    assert_eq!(deeper().problems(), [""; 0]);
    let scratch = deeper();
    scratch.remove(OWN);
    assert_eq!(
        scratch.problems(),
        [
            format!("{SUMMARY}:1: there is no {OWN}"),
            format!("lessons/02-heartbeat: this lesson has no chapter; add {OWN}"),
        ]
    );
    let scratch = deeper();
    fs::remove_dir_all(scratch.0.path().join("lessons/02-heartbeat")).expect("the crate");
    let message = "this chapter has no lesson; add the crate lessons/02-heartbeat";
    assert_eq!(
        scratch.problems(),
        [format!("{SIGNALS}: {message}-signals"), format!("{OWN}: {message}")]
    );
}

#[test]
fn a_numbered_page_has_a_crate_or_the_name_of_a_deeper_page() {
    let scratch = Scratch::new();
    scratch.write("book/chapters/02-signals.md", "# Signals\n");
    scratch.write(SUMMARY, "- [H](02-heartbeat.md)\n- [S](02-signals.md)\n");
    assert_eq!(
        scratch.problems(),
        ["book/chapters/02-signals.md: this chapter has no lesson; add the crate \
          lessons/02-signals, or call it 02-heartbeat-<subject>.md, as a deeper page of that \
          lesson"]
    );
}

#[test]
fn the_longest_name_owns_a_page() {
    let crates = ["08-truncated", "08-truncated-write", "claims"].map(str::to_owned);
    let owner = |stem| owner(stem, &crates);
    assert_eq!(owner("08-truncated"), Some("08-truncated"));
    assert_eq!(owner("08-truncated-file"), Some("08-truncated"));
    assert_eq!(owner("08-truncated-write"), Some("08-truncated-write"));
    assert_eq!(owner("08-truncated-write-python"), Some("08-truncated-write"));
    assert_eq!(owner("08-truncated-writer"), Some("08-truncated"));
    assert_eq!(owner("08-truncate"), None);
    assert_eq!(owner("claims-gil"), Some("claims"));
    assert_eq!(owner("claimsgil"), None);

    // A lesson whose name goes on behind another's is no deeper page of it.
    let scratch = Scratch::with_all_pages();
    let chapter = CHAPTER.replace("heartbeat", "heartbeat-signals");
    scratch.write(SIGNALS, &chapter);
    let directory = "lessons/02-heartbeat-signals";
    let manifest = "[package]\nname = \"heartbeat-signals\"\ndefault-run = \"heartbeat-signals\"\n";
    scratch.write(&format!("{directory}/Cargo.toml"), manifest);
    scratch.write(&format!("{directory}/heartbeat-signals.py"), "");
    scratch.write(&format!("{directory}/src/main.rs"), "");
    for kind in ["exercise", "solution"] {
        scratch.write(&format!("{directory}/src/bin/heartbeat-signals-{kind}.rs"), "");
    }
    scratch.edit(SUMMARY, "  - [Its", "- [Its");
    scratch.remove("lessons/02-heartbeat/src/bin/heartbeat-joined.rs");
    assert_eq!(scratch.problems(), [""; 0]);
}

#[test]
fn a_promises_page_has_its_lesson() {
    let scratch = Scratch::with_all_pages();
    let page = PROMISES_PAGE.replace("again", "more");
    scratch.write("book/chapters/promises/02-heartbeats.md", &page);
    scratch.edit(SUMMARY, "# Promises\n\n", "# Promises\n\n- [H](promises/02-heartbeats.md)\n");
    let message = "no lesson has this name; a promises page is called as its lesson's directory";
    assert_eq!(scratch.problems(), [format!("book/chapters/promises/02-heartbeats.md: {message}")]);
    scratch.remove("book/chapters/promises/02-heartbeats.md");
    scratch.write(SUMMARY, SUMMARY_OF_ALL);
    // A deeper page has none of its own: a lesson has one for all its pages.
    scratch.write("book/chapters/promises/02-heartbeat-signals.md", &page);
    assert_eq!(
        scratch.problems(),
        [format!("book/chapters/promises/02-heartbeat-signals.md: {message}")]
    );
}

#[test]
fn a_promises_page_promises_something() {
    let scratch = Scratch::with_all_pages();
    scratch.write(TESTED, "# Promises of the heartbeat\n");
    assert_eq!(
        scratch.problems(),
        [format!("{TESTED}: nothing is promised here; add a ` ```promise` block")]
    );
}

#[test]
fn promises_pages_have_the_last_part_for_themselves() {
    let scratch = Scratch::with_all_pages();
    scratch.edit(SUMMARY, "[First](index.md)\n\n", "");
    scratch.edit(SUMMARY, "# Promises\n\n", "# Promises\n\n- [First](index.md)\n");
    let alone = "the last part has promises pages alone; give them a title or a line `---` \
                 of their own";
    assert_eq!(scratch.problems(), [format!("{SUMMARY}:10: {alone}")]);
    // Without a part of their own they stand among the lessons.
    scratch.write(SUMMARY, SUMMARY_OF_ALL);
    scratch.edit(SUMMARY, "# Promises\n\n", "");
    assert_eq!(scratch.problems(), [7, 8].map(|line| format!("{SUMMARY}:{line}: {alone}")));
    // Behind pages in no list mdBook takes no title.
    scratch.edit(SUMMARY, "- [The heartbeat](promises", "---\n\n[The heartbeat](promises");
    assert_eq!(scratch.problems(), [""; 0]);
}

#[test]
fn a_promises_page_stands_in_the_last_part() {
    let elsewhere = format!(
        "{SUMMARY}:7: a promises page stands in the last part, so that the next arrow leads \
         from lesson to lesson"
    );
    let scratch = Scratch::with_all_pages();
    scratch.edit(SUMMARY, "# Promises\n\n- [The heartbeat](promises/02-heartbeat.md)\n", "");
    let line = "- [The heartbeat](promises/02-heartbeat.md)\n";
    scratch.edit(SUMMARY, "- [The heartbeat](02", &format!("{line}- [The heartbeat](02"));
    // Where there is one part it is the last one; here another one follows.
    scratch.write("book/chapters/more.md", "# More\n");
    scratch.write(SUMMARY, &(scratch.read(SUMMARY) + "# Aside\n\n- [More](more.md)\n"));
    assert_eq!(scratch.problems(), [&*elsewhere]);
    // That others stand where they should changes nothing.
    let promise = "```promise\nname = \"a\"\nprogram = \"claims-gc\"\nends = 1\nexit = 0\n```\n";
    scratch.write("book/chapters/claims.md", "# C\n[More](promises/claims.md)\n");
    scratch.write("book/chapters/promises/claims.md", &format!("# C\n{promise}"));
    scratch.write("lessons/claims/Cargo.toml", "[package]\nname = \"claims\"\n");
    scratch.write("lessons/claims/src/bin/claims-gc.rs", "");
    let lines = "- [C](claims.md)\n\n# Promises\n\n- [C](promises/claims.md)\n";
    scratch.write(SUMMARY, &(scratch.read(SUMMARY) + lines));
    assert_eq!(scratch.problems(), [elsewhere]);
}

#[test]
fn something_leads_to_a_promises_page() {
    let scratch = Scratch::with_all_pages();
    let link = "[More](promises/02-heartbeat.md)\n";
    scratch.edit(OWN, link, "");
    let message = format!("{OWN}: nothing leads to promises/02-heartbeat.md; add a link to it");
    assert_eq!(scratch.problems(), [&*message]);
    // Not a link from elsewhere, and not one to elsewhere.
    scratch.write("book/chapters/index.md", &format!("# First\n\n{link}"));
    scratch.write(SIGNALS, &format!("{DEEPER}\n[More](promises/02-heartbeats.md)\n"));
    assert_eq!(scratch.problems(), [message]);
    for link in ["promises/02-heartbeat.md", "./promises/02-heartbeat.md#promise-heartbeat"] {
        scratch.write(SIGNALS, &format!("{DEEPER}\n[More]({link})\n"));
        assert_eq!(scratch.problems(), [""; 0]);
    }
}

#[test]
fn promises_pages_are_not_searched() {
    for config in ["", "[output.html.search.chapter]\n\"promises\" = { enable = true }\n"] {
        let scratch = Scratch::with_all_pages();
        scratch.write("book/book.toml", config);
        assert_eq!(
            scratch.problems(),
            ["book/book.toml: [output.html.search.chapter] needs \
              `\"promises\" = { enable = false }`: what only a test needs is not to be found \
              before the lessons"]
        );
    }
}

#[test]
fn names_differ_on_all_pages_of_a_lesson() {
    let scratch = Scratch::with_all_pages();
    scratch.edit(TESTED, "name = \"again\"", "name = \"joined\"");
    assert_eq!(
        scratch.problems(),
        [format!("{TESTED}:2: a second scenario with the name `joined`")]
    );
    scratch.edit(TESTED, "name = \"joined\"\n", "");
    assert_eq!(scratch.problems(), [format!("{TESTED}:2: a second scenario without a `name`")]);

    let scratch = Scratch::with_all_pages();
    let measured = "```measured
name = \"rate\"
program = \"heartbeat\"
machine = \"two cores\"
date = \"2026-01-02\"
[[figure]]
line = \"{} beats\"
was = 4
holds = [1, 10]
```
";
    scratch.write(SIGNALS, &format!("{DEEPER}{measured}"));
    assert_eq!(scratch.problems(), [""; 0]);
    scratch.write(TESTED, &format!("{PROMISES_PAGE}{measured}"));
    assert_eq!(
        scratch.problems(),
        [format!("{TESTED}:7: a second `measured` block with the name `rate`")]
    );
}

#[test]
fn one_of_the_pages_has_the_exercise() {
    let scratch = Scratch::with_all_pages();
    scratch.edit(SIGNALS, "name = \"joined\"\n", "starter_breaks = [\"ends\"]\n");
    scratch.edit(SIGNALS, "program = \"heartbeat-joined\"\n", "");
    let one = "a lesson has one promise block with `starter_breaks`, or one `exam`";
    assert_eq!(scratch.problems(), [format!("{SIGNALS}:4: 2 exercises; {one}")]);
}

#[test]
fn a_deeper_page_opens_with_its_question_and_its_minutes() {
    for (written, wrong) in [
        ("*What does a signal leave?*", ""),
        ("leave?*", "leave.*"),
        ("{{#minutes}}", ""),
        ("{{#minutes}}", "{{#minutes 10}}"),
    ] {
        let scratch = Scratch::with_all_pages();
        scratch.edit(SIGNALS, written, wrong);
        let message = "a deeper page begins with its title, its question (`*Why …?*`) and \
                       `{{#minutes}}`";
        assert_eq!(scratch.problems(), [format!("{SIGNALS}:1: {message}")]);
    }
}

#[test]
fn a_mistake_on_one_page_is_all_that_is_said_of_its_lesson() {
    for (page, blocks) in [(OWN, 2), (SIGNALS, 1), (TESTED, 1)] {
        let scratch = Scratch::with_all_pages();
        scratch.edit(page, "exit = 0", "exti = 0");
        let problems = scratch.problems();
        let is_it = |problem: &String| {
            problem.starts_with(&format!("{page}:")) && problem.contains("field `exti`")
        };
        assert!(problems.iter().all(is_it) && problems.len() == blocks, "{problems:?}");
    }
}

#[test]
fn a_table_of_outcomes_is_about_all_pages_of_the_lesson() {
    let table = "```outcomes
caption = \"c\"
head = \"h\"
[[row]]
scenario = \"heartbeat::joined\"
title = \"t\"
[[column]]
title = \"t\"
stderr = \"beat\"
```
";
    let scratch = Scratch::with_all_pages();
    scratch.write(TESTED, &format!("{PROMISES_PAGE}{table}"));
    assert_eq!(scratch.problems(), [""; 0]);
    scratch.edit(SIGNALS, "stderr = [{ says = [] }]\n", "");
    assert_eq!(
        scratch.problems(),
        [format!(
            "{SIGNALS}:4: this does not decide whether stderr has `beat`, \
             which the table at {TESTED}:7 asks"
        )]
    );
    scratch.edit(TESTED, "heartbeat::joined", "heartbeat::parted");
    assert_eq!(
        scratch.problems(),
        [format!("{TESTED}:10: this chapter has no scenario `heartbeat::parted`")]
    );
}

#[test]
fn a_recording_may_be_shown_on_any_page_of_its_lesson() {
    let scratch = Scratch::with_all_pages();
    scratch.edit(OWN, "{{#recording heartbeat}}\n", "");
    scratch.write(SIGNALS, &format!("{DEEPER}\n{{{{#recording heartbeat}}}}\n"));
    assert_eq!(scratch.problems(), [""; 0]);
    scratch.edit(SIGNALS, "#recording heartbeat", "#recording heartbeat::other");
    assert_eq!(
        scratch.problems(),
        [format!("{SIGNALS}:12: there is no scenario `heartbeat::other` to show a recording of")]
    );
}
