"""An export in a daemon thread: neither its `with` nor its `finally` comes to an end."""

import os
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
        pass  # Nobody reads it; the export goes on.


# ANCHOR: program
def export(rows):
    try:
        with rows:
            first = time.monotonic()
            for batch in range(1, 5):
                time.sleep(max(0, first + batch - time.monotonic()))
                for order in range(400 * (batch - 1) + 1, 400 * batch + 1):
                    rows.write(f"{10000 + order},card,{10 + order % 90}.90\n")
                say(f"{400 * batch} of 1600 rows are written")
        say("the export is complete")
    finally:
        os.remove("export.lock")
        say("export.lock is removed")


def main(path):
    try:
        with open("export.lock", "x") as lock:
            lock.write(f"{os.getpid()}\n")
    except FileExistsError:
        with open("export.lock") as lock:
            sys.exit(f"export.lock is held by process {lock.read().rstrip()}")
    try:
        rows = open(path, "w")
    except OSError as error:
        os.remove("export.lock")
        say("export.lock is removed")
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say("my own work takes 2.5 s")
    threading.Thread(target=export, args=(rows,), name="export", daemon=True).start()

    time.sleep(2.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "export.csv")
