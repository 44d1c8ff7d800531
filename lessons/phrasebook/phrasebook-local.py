"""A value of its own for each thread."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: cell
printed = threading.local()


def print_labels(count):
    # Each thread has to make its own first.
    printed.count = 0
    for _ in range(count):
        printed.count += 1
    say(f"{printed.count} labels are printed")
    # ANCHOR_END: cell


threading.current_thread().name = "main"
say("two printers start")
for number in range(1, 3):
    threading.Thread(
        target=print_labels, args=(number + 1,), name=f"printer-{number}"
    ).start()
