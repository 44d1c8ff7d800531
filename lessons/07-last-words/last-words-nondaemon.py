"""An exit handler that is to stop a non-daemon thread: it would run after the thread's end."""

import atexit
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
stop = threading.Event()


def tick(ticks):
    first = time.monotonic()
    tick = 1
    while tick <= ticks and not stop.is_set():
        say(f"tick {tick}")
        stop.wait(max(0, first + tick - time.monotonic()))
        tick += 1
    say("the ticker returns")


def exit_handler():
    say("the exit handler tells the ticker to stop")
    stop.set()


def main(ticks):
    say("my own work takes 1.5 s")
    atexit.register(exit_handler)
    threading.Thread(
        target=tick, args=(ticks,), name="ticker", daemon=False
    ).start()

    time.sleep(1.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(float(sys.argv[1]) if len(sys.argv) > 1 else float("inf"))
