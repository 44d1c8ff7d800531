"""Wait for SIGTERM."""

import queue
import signal
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


threading.current_thread().name = "main"
# ANCHOR: cell
signals = queue.SimpleQueue()
signal.signal(
    signal.SIGTERM,
    lambda number, frame: signals.put(number),
)
say("waiting for SIGTERM")
signals.get()
say("told to stop")
# ANCHOR_END: cell
