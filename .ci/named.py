"""Runs the targets that run only when named, and holds each to its entry in targets.toml.

python3 .ci/named.py packages [target…]   prints the Debian packages that they need
python3 .ci/named.py run [target…]        runs them, one after another

Without names: all of them. `2/3` is the second of three shares of about the same length.
"""

import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path("tests/named/targets.toml")
KEYS = {"seconds": int, "least": int, "needs": list, "before": str, "ignored": bool}
RESULT = re.compile(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)
FAILED = re.compile(r"^test (.+?) +\.\.\. FAILED", re.MULTILINE)
# How far over its budget a target fails: the same machine is slower on another day.
TOO_LONG = 2
# Of a target's failures, so many characters are told once more at the end.
TOLD_AGAIN = 6000


def main(task, *chosen):
    targets = read()
    names = choose(targets, chosen)
    if task == "packages":
        print(*sorted({package for name in names for package in targets[name].get("needs", [])}))
    else:
        sys.exit(run({name: targets[name] for name in names}))


def stop(message, code=1):
    print(message, file=sys.stderr)
    sys.exit(code)


def read():
    """What the list says of each target, in cargo's order. Both have to know the same ones."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    if metadata.returncode:
        stop("cargo cannot tell which targets there are")
    packages = json.loads(metadata.stdout)["packages"]
    named = next(package for package in packages if package["name"] == "named")
    names = [target["name"] for target in named["targets"] if target["kind"] == ["test"]]
    targets = tomllib.loads((ROOT / LIST).read_text())
    for name in names:
        if name not in targets:
            stop(f"{LIST} has no [{name}], which is a test of the package named")
    for name, target in targets.items():
        if name not in names:
            stop(f"{LIST}: the package named has no test [{name}]")
        for key, value in target.items():
            if not isinstance(value, KEYS.get(key, ())):
                stop(f"{LIST}: [{name}] has a key that is unknown or of another type: {key}")
        if not {"seconds", "least"} <= target.keys():
            stop(f"{LIST}: [{name}] has to say both `seconds` and `least`")
    return {name: targets[name] for name in names}


def choose(targets, chosen):
    """The names that are chosen, by themselves or as a share."""
    names = set()
    for word in chosen:
        share = re.fullmatch(r"(\d+)/(\d+)", word)
        if word in targets:
            names.add(word)
        elif share and 1 <= int(share[1]) <= int(share[2]):
            names.update(shares(targets, int(share[2]))[int(share[1]) - 1])
        else:
            stop(f"there is no named target {word}; there are {', '.join(targets)}", code=2)
    return [name for name in targets if name in names or not chosen]


def shares(targets, count):
    """The longest first, each to whoever has least to do so far."""
    shared = [[] for _ in range(count)]
    for name in sorted(targets, key=lambda name: -targets[name]["seconds"]):
        least = min(shared, key=lambda names: sum(targets[other]["seconds"] for other in names))
        least.append(name)
    return shared


def run(targets):
    """Runs them and prints what came of each; gives the exit code."""
    if not targets:
        return 0
    cargo = ["cargo", "test", "--locked", "--package", "named"]
    print("\n== named: build", flush=True)
    start = time.monotonic()
    all_of_them = [argument for name in targets for argument in ("--test", name)]
    if subprocess.run([*cargo, "--no-run", *all_of_them], cwd=ROOT).returncode:
        return 1
    rows = [("(build)", "", "", seconds_since(start), "", "")]
    is_wrong = False
    told_again = []
    for name, target in targets.items():
        print(f"\n== named: {name}", flush=True)
        before = target.get("before", "true")
        if subprocess.run(before, shell=True, cwd=ROOT).returncode:
            rows.append((name, 0, 0, 0, target["seconds"], f"`{before}` failed"))
            is_wrong = True
            continue
        start = time.monotonic()
        code, output = follow([*cargo, "--test", name])
        seconds = seconds_since(start)
        passed, ignored, wrong = judge(target, code, output, seconds)
        is_wrong |= bool(wrong)
        if wrong:
            # What a long log keeps is its end.
            told_again.append((name, failures(output)))
        late = seconds > target["seconds"] and not wrong
        remark = "; ".join(wrong) or ("over its budget" if late else "")
        rows.append((name, passed, ignored, seconds, target["seconds"], remark))
    print("\ntarget     passed  ignored  seconds  budget")
    for name, passed, ignored, seconds, budget, remark in rows:
        row = f"{name:10} {passed:>6}  {ignored:>7}  {seconds:>7}  {budget:>6}  {remark}"
        print(row.rstrip(), flush=True)
    for name, text in told_again:
        print(f"\n== wrong in {name}\n{text}", flush=True)
    return int(is_wrong)


def failures(output):
    """What a test program says of each test that failed, without the list of names after it."""
    _, _, text = output.partition("\nfailures:\n")
    text, _, _ = text.rpartition("\nfailures:\n")
    return text.strip()[:TOLD_AGAIN] or "\n".join(output.splitlines()[-20:])


def follow(command):
    """Runs a command, shows its output while it runs, and gives its exit code and that output."""
    output = []
    with subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            output.append(line)
    return process.returncode, "".join(output)


def judge(target, code, output, seconds):
    """How many tests passed, how many were ignored, and what is wrong."""
    results = RESULT.findall(output)
    if not results:
        return 0, 0, [f"no test result, exit code {code}"]
    passed, failed, ignored = map(int, results[-1])
    wrong = []
    if code or failed:
        names = ", ".join(FAILED.findall(output))
        wrong.append(f"{failed} failed, exit code {code}: {names}")
    if passed < target["least"]:
        wrong.append(f"at least {target['least']} have to pass")
    if ignored and not target.get("ignored"):
        wrong.append("none may be ignored")
    if seconds > TOO_LONG * target["seconds"]:
        wrong.append(f"more than {TOO_LONG} times its budget")
    return passed, ignored, wrong


def seconds_since(start):
    return round(time.monotonic() - start)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("packages", "run"):
        stop(__doc__.strip(), code=2)
    main(*sys.argv[1:])
