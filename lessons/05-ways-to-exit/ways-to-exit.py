"""The ways out of a Python process while a daemon thread lives."""

import atexit
import os
import signal
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        pass  # Nobody reads it; the way out shall be the same.


def mark(text):
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass


WAYS = "join return raise raise-worker exit exit-worker _exit abort wait".split()
meeting = threading.Barrier(2)


def work(way, file):
    with file:
        try:
            file.write("a line of the worker\n")
            say("my line is in its buffer")
            meeting.wait()
            meeting.wait()
            if way == "exit-worker":
                sys.exit(3)
            if way == "raise-worker":
                raise ValueError("a row has no customer")
        finally:
            mark("worker cleans up")


def leave(way, worker):
    if way in ("join", "exit-worker", "raise-worker"):
        meeting.wait()
        worker.join()
    elif way == "raise":
        raise ValueError("the report is late")
    elif way == "exit":
        sys.exit(3)
    elif way == "_exit":
        os._exit(3)
    elif way == "abort":
        os.abort()
    elif way == "wait":
        # What the parent ignored is ignored here, too; the subject is the default.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        mark("waiting for a signal")
        signal.pause()


def create(path):
    try:
        return open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")


# ANCHOR: main
def main(way, directory):
    file = create(f"{directory}/main.txt")
    worker_file = create(f"{directory}/worker.txt")
    with file:
        try:
            say("my own work takes 1 s")
            atexit.register(mark, "the exit handler runs")
            file.write("a line of main\n")
            worker = threading.Thread(
                target=work, args=(way, worker_file), name="worker", daemon=True
            )
            worker.start()
            meeting.wait()

            time.sleep(1)
            say(f"the way out is {way}")
            print("no line feed", end="")
            leave(way, worker)
        finally:
            mark("main cleans up")
# ANCHOR_END: main


threading.current_thread().name = "main"
way = sys.argv[1] if len(sys.argv) > 1 else ""
if way not in WAYS:
    sys.exit("which way? one of " + ", ".join(WAYS))
main(way, sys.argv[2] if len(sys.argv) > 2 else ".")
