"""What can still run at the end: a finally, an exit handler, and a daemon thread meanwhile."""

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
def tick():
    try:
        first = time.monotonic()
        tick = 1
        while True:
            say(f"tick {tick}")
            time.sleep(max(0, first + tick - time.monotonic()))
            tick += 1
    finally:
        say("the ticker's guard runs")


def exit_handler():
    say("the exit handler starts")
    time.sleep(2)
    say("the exit handler is done")


def main(way):
    if way != "return":
        sys.exit(f"unknown way out `{way}`; this twin knows return")
    say(f"my own work takes 1.5 s; then the way out is: {way}")
    try:
        atexit.register(exit_handler)
        threading.Thread(target=tick, name="ticker", daemon=True).start()

        time.sleep(1.5)
        say("my own work is done")
    finally:
        say("main's guard runs")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "return")
