"""A signal comes while main sleeps: its handler runs at once, and the sleep goes on."""

import signal
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def main():
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    say("waiting for 5 s")
    time.sleep(5)
    say(f"told to stop: {str(bool(told)).lower()}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
