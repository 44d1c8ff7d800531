"""A last flush in an exit handler: it waits for the daemon thread that writes."""

import atexit
import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def write_lines(lines, log):
    first = time.monotonic()
    written = 0
    while True:
        line = lines.get()
        written += 1
        time.sleep(max(0, first + written - time.monotonic()))
        print(line, file=log, flush=True)
        lines.task_done()


def main(path):
    try:
        log = open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say(f"3 lines for {path}, 1 s each")
    lines = queue.Queue()
    threading.Thread(
        target=write_lines, args=(lines, log), name="writer", daemon=True
    ).start()
    # The handler waits until the daemon has written every line.
    atexit.register(lines.join)
    for number in range(1, 4):
        lines.put(f"line {number}")
    say("main returns")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "service.log")
