"""Have something done at the end, whichever way `main` returns."""

import atexit
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: cell
def lights_out():
    say("the lights are out")


threading.current_thread().name = "main"
atexit.register(lights_out)
# ANCHOR_END: cell
say("my own work is done")
