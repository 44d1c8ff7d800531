"""Measures how fast the workbook is, each figure beside its other side.

python3 tests/bench.py [test] [build] [lesson] [book] [green] [--other REVISION]

Measured is the commit that is checked out, in clones; with `--other` another one of this repository
in turn with it. On two cores, the median of three, with cargo's own start. Run it on a quiet machine:
it prints the load beside each figure. What is downloaded is there before the clock starts.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = 3


def run(command, cwd, **more):
    """Runs a command to its end and gives what it printed and the seconds that it took."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}")
    return done.stdout, seconds


def run_until(line, command, cwd, **more):
    """Runs a command until it prints a line that holds this, and then ends it."""
    with subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, **more) as process:
        for printed in process.stdout:
            if line in printed:
                process.terminate()
                process.stdout.read()
                return
    sys.exit(f"{command} did not print `{line}`")


def alternate(title, sides):
    """Measures all sides in turn, and gives their medians."""
    print(title, flush=True)
    found = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, measure in sides.items():
            before = os.getloadavg()[0]
            seconds = measure()
            found[side].append(seconds)
            print(f"    {seconds:7.2f} s  {side}  (load {before:.1f} before it)", flush=True)
    medians = {side: statistics.median(seconds) for side, seconds in found.items()}
    for side, seconds in medians.items():
        print(f"  {seconds:7.2f} s  {side}, the median", flush=True)
    return medians


class Bench:
    """The revisions that are measured, and the directory for it."""

    def __init__(self, revisions, directory):
        self.revisions = revisions
        self.directory = directory
        for revision in revisions:
            run(["cargo", "fetch", "--locked"], self.warm(revision))

    def clone(self, revision, into):
        run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(into)], ROOT)
        run(["git", "checkout", "--quiet", revision], into)
        return into

    def warm(self, revision):
        """A clone that stays, and with it what is built there."""
        clone = self.directory / revision
        return clone if clone.exists() else self.clone(revision, clone)

    def fresh(self, revision, use):
        """Seconds from before a clone until it was used, with nothing built."""
        clone = self.directory / "fresh"
        start = time.monotonic()
        use(self.clone(revision, clone))
        seconds = time.monotonic() - start
        shutil.rmtree(clone)
        return seconds

    def sides(self, measure):
        return {revision: lambda revision=revision: measure(revision)
                for revision in self.revisions}

    def test(self):
        """The whole self-check beside its longest test alone: lessons sleep at the same time."""
        whole = ["cargo", "test", "--locked"]
        sides, pairs = {}, []
        for revision in self.revisions:
            clone = self.warm(revision)
            run(whole, clone)
            # Tests are told as they end, so the longest one is among the last.
            ended = re.findall(r"^test (\S+)\s+\.\.\. ok$", run(whole, clone)[0], re.MULTILINE)
            alone = [[*whole, "--", "--exact", name] for name in ended[-5:]]
            longest = max(alone, key=lambda command: run(command, clone)[1])
            names = f"{revision}: cargo test", f"{revision}: {longest[-1]} alone"
            for name, command in zip(names, (whole, longest)):
                sides[name] = lambda command=command, clone=clone: run(command, clone)[1]
            pairs.append(names)
        medians = alternate("test: cargo test, warm", sides)
        for name, longest in pairs:
            print(f"  {medians[name] - medians[longest]:7.2f} s more: {name}")

    def build(self):
        """The book, written by a reader that is built already."""
        command = ["cargo", "run", "--locked", "--", "build"]
        for revision in self.revisions:
            run(command, self.warm(revision))
        alternate("build: cargo run -- build, warm",
                  self.sides(lambda revision: run(command, self.warm(revision))[1]))

    def lesson(self):
        """From the clone to the first line that the first lesson prints."""
        command = ["cargo", "run", "--locked", "--quiet", "-p", "critical-worker"]
        alternate("lesson: clone to the first lesson's first line", self.sides(
            lambda revision: self.fresh(revision, lambda clone: run_until("", command, clone))))

    def book(self):
        """From the clone to the open book, beside the installation of mdBook."""
        command = ["cargo", "run", "--locked", "--quiet", "--", "--port", "0"]
        sides = self.sides(lambda revision: self.fresh(
            revision, lambda clone: run_until("the book is open", command, clone)))
        install = "cargo install mdbook --locked"
        self.download(install.split())
        medians = alternate(f"book: clone to the open book, beside {install}",
                            {**sides, install: lambda: self.install(install.split())})
        for revision in self.revisions:
            print(f"  {medians[revision] / medians[install]:7.2f} of it: {revision}")

    def green(self):
        """From the clone to a self-check that has passed."""
        command = ["cargo", "test", "--locked"]
        alternate("green: clone to a green cargo test", self.sides(
            lambda revision: self.fresh(revision, lambda clone: run(command, clone))))

    def install(self, command):
        """Seconds that an installation takes with nothing built."""
        place = self.directory / "installed"
        fresh = {**os.environ, "CARGO_TARGET_DIR": str(place / "target")}
        seconds = run([*command, "--root", str(place)], self.directory, env=fresh)[1]
        shutil.rmtree(place)
        return seconds

    def download(self, command):
        """Begins an installation and ends it at the first compiler, which is after all downloads."""
        place = self.directory / "downloaded"
        fresh = {**os.environ, "CARGO_TARGET_DIR": str(place / "target")}
        run_until("Compiling", [*command, "--root", str(place)], self.directory, env=fresh,
                  stderr=subprocess.STDOUT)
        shutil.rmtree(place, ignore_errors=True)


def main():
    benchmarks = ["test", "build", "lesson", "book", "green"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(benchmarks))
    parser.add_argument("--other", metavar="REVISION", help="measured in turn with this one")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(benchmarks):
        parser.error(f"no benchmark is called {unknown.pop()}; there are {', '.join(benchmarks)}")
    revisions = [run(["git", "rev-parse", "--short", "--verify", f"{revision}^{{commit}}"],
                     ROOT)[0].strip() for revision in ("HEAD", arguments.other) if revision]
    # Each clone has its own results, whatever the shell has set.
    os.environ.pop("CARGO_TARGET_DIR", None)
    # Cargo and the programs start as many at a time as there are cores for them.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(revisions, pathlib.Path(temporary))
        for name in arguments.names or benchmarks:
            getattr(bench, name)()


if __name__ == "__main__":
    main()
