"""List the threads that are alive."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def wait_for_orders():
    """Never returns."""
    threading.Event().wait()


threading.current_thread().name = "main"
for number in range(1, 3):
    threading.Thread(
        target=wait_for_orders, name=f"printer-{number}", daemon=True
    ).start()
say("who is alive?")
# ANCHOR: cell
for thread in threading.enumerate():
    say(f"alive: {thread.name}")
# ANCHOR_END: cell
