"""An exit handler that a daemon thread registers for its own cleaning up."""

import atexit
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def tick():
    # The change: the thread itself registers the handler.
    atexit.register(exit_handler)
    say("I have registered an exit handler")
    first = time.monotonic()
    tick = 1
    while True:
        say(f"tick {tick}")
        time.sleep(max(0, first + tick - time.monotonic()))
        tick += 1


def exit_handler():
    say("the exit handler starts")
    time.sleep(2)
    say("the exit handler is done")


def main():
    say("my own work takes 1.5 s")
    threading.Thread(target=tick, name="ticker", daemon=True).start()

    time.sleep(1.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
