"""End with an exit code, and let `finally` run."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: cell


threading.current_thread().name = "main"
try:
    say("the disk is full")
    # `os._exit(3)` would skip the `finally`.
    sys.exit(3)
finally:
    say("the lights are out")
# ANCHOR_END: cell
