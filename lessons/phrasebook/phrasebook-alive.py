"""Ask whether a thread has ended, without a wait."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def print_label():
    """Breaks down after a second and a half."""
    time.sleep(1.5)
    raise RuntimeError("the paper is jammed")


threading.current_thread().name = "main"
say("a label is to be printed")
# ANCHOR: cell
printer = threading.Thread(
    target=print_label, name="printer"
)
printer.start()

while printer.is_alive():
    say("not yet")
    time.sleep(1)
# Nothing tells how it ended.
say("the printer has ended")
# ANCHOR_END: cell
