"""The same export under a lock that the kernel keeps."""

import fcntl
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
def export(rows, lock):
    # The lock is held for as long as the file is open.
    with lock, rows:
        first = time.monotonic()
        for batch in range(1, 5):
            time.sleep(max(0, first + batch - time.monotonic()))
            for order in range(400 * (batch - 1) + 1, 400 * batch + 1):
                rows.write(f"{10000 + order},card,{10 + order % 90}.90\n")
            say(f"{400 * batch} of 1600 rows are written")
    say("the export is complete")


def main(path):
    lock = open("export.lock", "a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("export.lock is locked: an export is at work")
    rows = open(path, "w")
    say("my own work takes 2.5 s")
    threading.Thread(
        target=export, args=(rows, lock), name="export", daemon=True
    ).start()

    time.sleep(2.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "export.csv")
