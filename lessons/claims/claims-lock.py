"""A daemon thread holds a lock for ever, and the main thread returns."""

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
def hold(lock, held):
    with lock:
        say("I have the lock, and I keep it")
        held.set()
        threading.Event().wait()


def say_last_words(lock):
    say("my last words need the lock")
    with lock:
        say("I have said them")


def main(way):
    if way not in ("unused", "needed"):
        sys.exit(f"is the lock `unused` or `needed` at the end? not `{way}`")
    say("my own work takes 0.5 s")
    lock, held = threading.Lock(), threading.Event()
    threading.Thread(target=hold, args=(lock, held), name="holder", daemon=True).start()
    held.wait()
    if way == "needed":
        atexit.register(say_last_words, lock)
    time.sleep(0.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "unused")
