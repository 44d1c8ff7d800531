"""The same slow page: Python formats a record before it writes any of it."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: torn
class Page:
    def __init__(self, number):
        self.number = number

    def __str__(self):
        time.sleep(1)
        return f"text of page {self.number:03}"


def write_records(output):
    for number in range(1, 101):
        print(f"record {number:03}: {Page(number)}", file=output, flush=True)
        say(f"record {number} is written")
# ANCHOR_END: torn


def main(path):
    try:
        output = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say("my own work takes 2.5 s")
    threading.Thread(
        target=write_records, args=(output,), name="writer", daemon=True
    ).start()

    time.sleep(2.5)
    say("my own work is done")


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "output.txt")
