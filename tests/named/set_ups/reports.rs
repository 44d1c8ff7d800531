//! What a report says of programs that do what no program should, and of an exercise that is none.

use std::fs;

use libtest_mimic::{Failed, Trial};
use named::desk::answer;

use super::{Test, desk, has, whole_check};

const EXERCISE: &str = "lessons/02-heartbeat/src/bin/heartbeat-exercise.rs";

/// The trials of this module.
pub fn trials() -> Vec<Trial> {
    let trials: [(&str, Test); 9] = [
        ("a line without end is cut", a_long_line),
        ("escape codes and bytes that are no text are shown as such", escape_codes),
        ("a program that removes its directory is told", a_removed_directory),
        ("a report has a limit, whatever a program prints", a_long_report),
        ("a pipe in the place of a file is told", a_pipe),
        ("a file that is too large to be right is not read", a_large_file),
        ("an exercise that is gone is named with the command that brings it back", a_gone_exercise),
        ("a marker may be written otherwise", markers),
        ("panic = abort is named and does no harm", panic_abort),
    ];
    trials.map(|(name, test)| Trial::test(format!("reports::{name}"), test)).into()
}

/// What the check says of an exercise that does this.
fn report_of(body: &str) -> Result<String, Failed> {
    let desk = desk();
    let program = format!("use std::io::Write;\nfn main() {{\n    {body}\n}}\n");
    desk.edit(EXERCISE, |_| program);
    let (text, code) = desk.check(&["--exact", "exercise::heartbeat"]);
    if code == Some(101) { Ok(text) } else { Err(format!("exit code {code:?}: {text}").into()) }
}

fn a_long_line() -> Result<(), Failed> {
    let text = report_of("std::io::stdout().write_all(&[b'x'; 1_000_000]).unwrap();")?;
    has(&text, " more characters")?;
    if text.len() < 20_000 { Ok(()) } else { Err(format!("{} bytes", text.len()).into()) }
}

fn a_long_report() -> Result<(), Failed> {
    let text = report_of(
        "for _ in 0..200 {
        let line = [[0xff; 2_000].as_slice(), b\"\\n\"].concat();
        std::io::stdout().write_all(&line).unwrap();
        std::io::stderr().write_all(&line).unwrap();
    }",
    )?;
    has(&text, " lines …")?;
    // Of two streams a hundred lines of 200 bytes and what is said of the rest, however many runs there are.
    if text.len() < 60_000 { Ok(()) } else { Err(format!("{} bytes", text.len()).into()) }
}

fn escape_codes() -> Result<(), Failed> {
    let text = report_of("std::io::stdout().write_all(b\"\\x1b[2Jnow \\xff\\n\").unwrap();")?;
    has(&text, "    \\u{1b}[2Jnow \\xff\n")?;
    if text.contains("\x1b[2J") { Err("the screen is cleared".into()) } else { Ok(()) }
}

fn a_removed_directory() -> Result<(), Failed> {
    let gone =
        "let here = std::env::current_dir().unwrap();\n    let _ = std::fs::remove_dir_all(&here);";
    let text = report_of(&format!("println!(\"start\");\n    {gone}"))?;
    has(&text, "  promised  leaves its directory where it was")
}

fn a_pipe() -> Result<(), Failed> {
    let pipe = "std::process::Command::new(\"mkfifo\").arg(\"invoices.txt\").status().unwrap();";
    in_the_place_of_a_file(pipe, "it is there, but no file")
}

fn a_large_file() -> Result<(), Failed> {
    let file = "std::fs::File::create(\"invoices.txt\").unwrap().set_len(64 << 30).unwrap();";
    in_the_place_of_a_file(file, "it has 65536 MiB, which is more than any promise allows")
}

/// Has the first exercise do this, and nothing of what is promised of its file.
fn in_the_place_of_a_file(body: &str, told: &str) -> Result<(), Failed> {
    let desk = desk();
    let exercise = "lessons/01-critical-worker/src/bin/critical-worker-exercise.rs";
    desk.edit(exercise, |_| format!("fn main() {{\n    println!(\"start\");\n    {body}\n}}\n"));
    let check = desk.self_check(&["--exact", "exercise::critical-worker"]);
    let mut limited = std::process::Command::new("timeout");
    limited.arg("60").arg(check.get_program()).args(check.get_args());
    let (text, _) = answer(super::with_variables_of(&check, &mut limited));
    has(&text, &format!("  but       {told}"))
}

fn a_gone_exercise() -> Result<(), Failed> {
    let desk = desk();
    fs::remove_file(desk.path(EXERCISE))?;
    let (text, _) = desk.check(&["--exact", "exercise::heartbeat"]);
    has(&text, &format!("{EXERCISE} is no longer there; `git restore {EXERCISE}` brings it back"))?;
    fs::create_dir(desk.path(EXERCISE))?;
    let (text, _) = desk.check(&["--exact", "exercise::heartbeat"]);
    has(&text, "`git restore")?;
    let (text, code) = desk.check(&["--exact", "heartbeat"]);
    if code == Some(0) { Ok(()) } else { Err(text.into()) }
}

fn markers() -> Result<(), Failed> {
    let desk = desk();
    let begun = "ignored (not started)";
    for (line, is_marker) in [
        ("//your turn", true),
        ("   /// Your  Turn: mend this", true),
        ("// it is your turn next", false),
        ("// your turns are counted", false),
        ("// YOUR TURN mend this", true),
        ("/* YOUR TURN */", true),
        ("use std::thread; // YOUR TURN", true),
        ("// Your turn, then mine", false),
        ("// YOUR TURNS", false),
        ("const TEXT: &str = \"// YOUR TURN\";", false),
    ] {
        desk.edit(EXERCISE, |_| format!("{line}\nfn main() {{}}\n"));
        let (text, _) = desk.check(&["--exact", "exercise::heartbeat"]);
        if text.contains(begun) != is_marker {
            return Err(format!("`{line}`: {text}").into());
        }
    }
    Ok(())
}

fn panic_abort() -> Result<(), Failed> {
    let mut check = whole_check();
    let pipe = std::process::Stdio::piped;
    check.args(["--exact", "ways-to-exit::panic-worker"]).stdout(pipe()).stderr(pipe());
    let (text, _) = answer(check.env("CARGO_PROFILE_DEV_PANIC", "abort"));
    has(&text, "CARGO_PROFILE_DEV_PANIC sets `panic = \"abort\"`")?;
    has(&text, "1 passed; 0 failed")
}
