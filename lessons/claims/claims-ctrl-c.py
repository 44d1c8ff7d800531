"""A non-daemon thread at work, and a Ctrl-C while the interpreter waits for it."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def close_the_books():
    try:
        for step in range(1, 4):
            time.sleep(2)
            say(f"step {step} of 3 is done")
    finally:
        say("the books are closed")


def main():
    threading.Thread(target=close_the_books, name="critical", daemon=False).start()
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
