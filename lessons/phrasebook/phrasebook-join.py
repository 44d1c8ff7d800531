"""Wait for a thread and take its result."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def print_labels(result):
    """Leaves in `result` how many it has printed."""
    time.sleep(1)
    result.append(3)


threading.current_thread().name = "main"
say("how many labels are printed?")
# ANCHOR: cell
result = []
printer = threading.Thread(
    target=print_labels,
    args=(result,),
    name="printer",
)
printer.start()

printer.join()
say(f"{result[0]} labels are printed")
# ANCHOR_END: cell
