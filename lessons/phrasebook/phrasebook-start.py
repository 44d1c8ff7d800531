"""Start a thread, with a name: the interpreter waits for it."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def print_label(order):
    time.sleep(1)
    say(f"the label for {order} is printed")


threading.current_thread().name = "main"
say("a label is to be printed")
# ANCHOR: cell
printer = threading.Thread(
    target=print_label,
    args=("tea",),
    name="printer",
)
printer.start()
# ANCHOR_END: cell
