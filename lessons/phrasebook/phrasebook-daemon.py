"""Start a thread that nobody waits for."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def tick():
    """Ticks each second and never returns."""
    while True:
        say("tick")
        time.sleep(1)


threading.current_thread().name = "main"
say("my own work takes half a second")
# ANCHOR: cell
ticker = threading.Thread(
    target=tick, name="ticker", daemon=True
)
ticker.start()

time.sleep(0.5)
say("my own work is done")
# ANCHOR_END: cell
