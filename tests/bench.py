"""Measures what the workbook promises of its own speed, each against its yardstick.

python3 tests/bench.py [suite] [edit] [lesson] [book] [pages]

Run it on a quiet machine. `lesson` and `book` install rustlings and mdBook into a temporary
directory to compare with; their crates are downloaded before the clock starts.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

CHAPTER = """# Sleeper {number}

{{{{#recording sleeper-{number:02}::s0}}}}

{scenarios}
```promise
starter_breaks = ["ends"]
ends = 2
exit = 0
args = ["2"]
```
"""

SCENARIO = """```promise
name = "s{index}"
args = ["{seconds}"]
ends = {seconds}
exit = 0
{python}
[[stdout]]
says = ["start", "end"]
```
"""

SLEEPER = """use std::{{env, thread, time::Duration}};

fn main() {{
    lesson_log::init();
    tracing::info!("start");
    let seconds: u64 = env::args().nth(1).map_or(1, |text| text.parse().expect("seconds"));
    thread::sleep(Duration::from_secs(seconds{less}));
    tracing::info!("end");
}}
"""

RECORDING = """ended = {seconds}.0
exit = 0
ended_by = "main"
stdout = [" 0.000s main       start", "{seconds:>2}.000s main       end"]
thread = [{{ name = "main", born = 0.0 }}]
"""

TWIN = """import sys, time
print("start", flush=True)
time.sleep(int(sys.argv[1]))
print("end", flush=True)
"""


def shared(directory):
    """The environment of benchmarks that are not about the first build: they share one."""
    return {**os.environ, "CARGO_TARGET_DIR": str(directory / "target")}


def run(command, cwd, **more):
    """Runs a command to its end and gives its output and the seconds that it took."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, **more)
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr, seconds


def seconds_until(line, command, cwd, **more):
    """Seconds until a command prints a line that holds this; then ends the command."""
    start = time.monotonic()
    with subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, **more) as process:
        for printed in process.stdout:
            if line in printed:
                seconds = time.monotonic() - start
                process.terminate()
                process.stdout.read()
                return seconds
    sys.exit(f"{command} did not print `{line}`")


def clone(into):
    subprocess.run(["git", "clone", "--quiet", ROOT, into], check=True)
    return into


def install(crate, directory):
    """Seconds that `cargo install` takes for a crate that is downloaded already."""
    fresh = {**os.environ, "CARGO_TARGET_DIR": str(directory / f"{crate}-target")}
    command = ["cargo", "install", crate, "--locked", "--quiet", "--root", str(directory / crate)]
    # Stopped as soon as the compiler starts, which is after the last download.
    with subprocess.Popen([arg for arg in command if arg != "--quiet"], env=fresh, text=True,
                          stderr=subprocess.PIPE) as first:
        for printed in first.stderr:
            if "Compiling" in printed:
                first.terminate()
                break
    shutil.rmtree(fresh["CARGO_TARGET_DIR"], ignore_errors=True)
    return run(command, directory, env=fresh)[1]


def suite(directory):
    """120 scenarios of 1 to 10 s in 24 lessons, 30 Python twins, 24 starters and solutions."""
    work = clone(directory / "suite")
    for old in [*work.glob("lessons/0*"), *work.glob("book/chapters/0*.md"),
                *work.glob("book/recordings/*")]:
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    summary = []
    for number in range(1, 25):
        name = f"{number:02}-sleeper-{number:02}"
        lesson = work / "lessons" / name
        (lesson / "src/bin").mkdir(parents=True)
        package = name[3:]
        manifest = (ROOT / "lessons/02-heartbeat/Cargo.toml").read_text()
        (lesson / "Cargo.toml").write_text(manifest.replace("heartbeat", package))
        (lesson / "src/main.rs").write_text(SLEEPER.format(less=""))
        (lesson / f"src/bin/{package}-solution.rs").write_text(SLEEPER.format(less=""))
        starter = "// YOUR TURN\n" + SLEEPER.format(less=" - 1")
        (lesson / f"src/bin/{package}-exercise.rs").write_text(starter)
        (lesson / f"{package}.py").write_text(TWIN)
        scenarios = ""
        for index in range(5):
            count = (number - 1) * 5 + index
            python = 'python = "3.6"' if index == 0 or count % 20 == 1 else ""
            seconds = count % 10 + 1
            scenarios += SCENARIO.format(index=index, seconds=seconds, python=python)
            if index == 0:
                recording = work / f"book/recordings/{package}.s0.toml"
                recording.write_text(RECORDING.format(seconds=seconds))
        (work / f"book/chapters/{name}.md").write_text(
            CHAPTER.format(number=number, scenarios=scenarios))
        summary.append(f"- [{name}]({name}.md)\n")
    pages = (ROOT / "book/chapters/SUMMARY.md").read_text().splitlines(keepends=True)
    pages = "".join(line for line in pages if not line.startswith("- ["))
    (work / "book/chapters/SUMMARY.md").write_text(pages + "".join(summary))

    command = ["cargo", "test", "--test", "lessons"]
    print("suite: first build …", flush=True)
    run(command, work, env=shared(directory))
    for _ in range(3):
        output, seconds = run(command, work, env=shared(directory))
        passed = re.search(r"(\d+) passed; 0 failed", output).group(1)
        print(f"suite: {passed} tests, the longest 10 s: {seconds:.2f} s "
              f"({seconds - 10:.2f} s more; at most 1.5)", flush=True)


def edit(directory):
    """`cargo test heartbeat` after an edit of its source."""
    work = clone(directory / "edit")
    run(["cargo", "test", "heartbeat"], work, env=shared(directory))
    source = work / "lessons/02-heartbeat/src/main.rs"
    for count in range(3):
        source.write_text(source.read_text().replace("3.5 s\")", "3.5 s\") ", 1))
        seconds = run(["cargo", "test", "heartbeat"], work, env=shared(directory))[1]
        # The untouched starter hangs and is ended 6 s after the 2.5 s that it promises.
        own = 8.5
        print(f"edit: cargo test heartbeat: {seconds:.2f} s, {seconds - own:.2f} s beside its "
              f"longest run (at most 1)", flush=True)


def lesson(directory):
    """Clone to the first line of a lesson, against `cargo install rustlings`."""
    yardstick = install("rustlings", directory)
    start = time.monotonic()
    work = clone(directory / "lesson")
    cloned = time.monotonic() - start
    ours = cloned + seconds_until("my own work", ["cargo", "run", "-p", "critical-worker"], work)
    print(f"lesson: clone to first line {ours:.1f} s, cargo install rustlings {yardstick:.1f} s: "
          f"{ours / yardstick:.2f} (at most 0.33)", flush=True)


def book(directory):
    """Clone to the open book, against `cargo install mdbook --locked`."""
    yardstick = install("mdbook", directory)
    start = time.monotonic()
    work = clone(directory / "book")
    cloned = time.monotonic() - start
    command = ["cargo", "run", "--", "--port", "0"]
    ours = cloned + seconds_until("the book is open", command, work)
    print(f"book: clone to the open book {ours:.1f} s, cargo install mdbook {yardstick:.1f} s: "
          f"{ours / yardstick:.2f} (at most 0.5)", flush=True)


def pages(directory):
    """A book of 30 chapters, search included, by the dev build of the reader."""
    work = clone(directory / "pages")
    chapter = (ROOT / "book/chapters/02-heartbeat.md").read_text()
    lines = []
    for number in range(3, 31):
        name = f"{number:02}-heartbeat-{number}"
        package = name[3:]
        shutil.copytree(work / "lessons/02-heartbeat", work / "lessons" / name)
        for path in (work / "lessons" / name).rglob("heartbeat*"):
            path.rename(path.with_name(path.name.replace("heartbeat", package)))
        manifest = work / "lessons" / name / "Cargo.toml"
        manifest.write_text(manifest.read_text().replace("heartbeat", package))
        copied = chapter.replace("02-heartbeat/", f"{name}/").replace("heartbeat-", f"{package}-")
        copied = copied.replace("/heartbeat.py", f"/{package}.py")
        copied = copied.replace("#recording heartbeat heartbeat::joined",
                                f"#recording {package} {package}::joined")
        for end in ["toml", "joined.toml"]:
            recordings = work / "book/recordings"
            shutil.copy(recordings / f"heartbeat.{end}", recordings / f"{package}.{end}")
        (work / f"book/chapters/{name}.md").write_text(copied)
        lines.append(f"- [{name}]({name}.md)\n")
    summary = work / "book/chapters/SUMMARY.md"
    last = "- [The heartbeat that need not finish](02-heartbeat.md)\n"
    summary.write_text(summary.read_text().replace(last, last + "".join(lines)))
    command = ["cargo", "run", "--", "build"]
    run(command, work, env=shared(directory))
    for _ in range(3):
        output, _ = run(command, work, env=shared(directory))
        print(f"pages: 30 chapters: {re.search('built .* in (.*)', output).group(1)} "
              "(at most 1.5)", flush=True)


BENCHMARKS = {"suite": suite, "edit": edit, "lesson": lesson, "book": book, "pages": pages}

if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no benchmark {unknown.pop()}; there are {', '.join(BENCHMARKS)}")
    # Each build starts from nothing, whatever the shell has set.
    os.environ.pop("CARGO_TARGET_DIR", None)
    with tempfile.TemporaryDirectory() as temporary:
        for name in sys.argv[1:] or BENCHMARKS:
            BENCHMARKS[name](pathlib.Path(temporary))
