"""The same helper as a non-daemon thread: the interpreter never ends."""

import os
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        os.write(1, line.encode())
    except OSError:
        pass  # Nobody reads it: the work goes on.


# ANCHOR: program
def send_heartbeats():
    first = time.monotonic()
    beat = 1
    while True:
        say(f"beat {beat}")
        time.sleep(max(0, first + beat - time.monotonic()))
        beat += 1


def main():
    say("my own work takes 3.5 s")
    threading.Thread(target=send_heartbeats, name="heartbeat", daemon=False).start()

    time.sleep(3.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
