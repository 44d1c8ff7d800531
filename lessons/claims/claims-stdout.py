"""A daemon thread prints to a pipe that nobody reads, and holds the lock of `sys.stdout`."""

import atexit
import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def print_to_nobody(begin):
    begin.wait()
    reader, writer = os.pipe()
    os.dup2(writer, sys.stdout.fileno())
    # More than the pipe has room for: the rest waits, with the lock.
    sys.stdout.write("a line\n" * 100000)


def main(when):
    begin = threading.Event()
    if when == "early":
        begin.set()
    elif when == "late":
        # The handler gives the thread half a second to take the lock.
        atexit.register(time.sleep, 0.5)
        atexit.register(begin.set)
    else:
        sys.exit(f"does the thread print `early` or `late`? not `{when}`")
    say("my own work takes 0.5 s")
    threading.Thread(
        target=print_to_nobody, args=(begin,), name="printer", daemon=True
    ).start()
    time.sleep(0.5)
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "early")
