"""The same worker as a daemon thread: nobody waits for it."""

import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        os.write(1, line.encode())
    except OSError:
        pass  # Nobody reads it: the work goes on.


# ANCHOR: program
def write_journal(journal, path):
    for step in range(1, 6):
        time.sleep(2)
        print(f"step {step}", file=journal, flush=True)
        say(f"step {step} of 5 is in {path}")


def main(path):
    try:
        journal = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say("my own work takes 5 s")
    threading.Thread(
        target=write_journal, args=(journal, path), name="critical", daemon=True
    ).start()

    time.sleep(5)
    say("my own work is done")
    # The change is daemon=True: the interpreter does not wait.
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "journal.txt")
